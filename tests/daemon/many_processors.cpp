// SPDX-License-Identifier: Apache-2.0
// What a program is told of the machine that it runs on, where this library is preloaded: it has 128 processors.
extern "C" {
int get_nprocs()
{
    return 128;
}
int get_nprocs_conf()
{
    return 128;
}
}
