-- SPDX-License-Identifier: Apache-2.0
-- For wrk: asks for each line of a file in turn, each thread beginning at another one, so that nothing is asked for again
-- soon.   wrk -t2 -c8 -s targets.lua URL -- FILE
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local requests, at = {}, 0
function init(args)
    for line in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format("GET", line)
    end
    at = math.floor(number * #requests / 2)
end

function request()
    at = at % #requests + 1
    return requests[at]
end
