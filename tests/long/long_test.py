# SPDX-License-Identifier: Apache-2.0
"""What was reached adds up over runs, and a slice that fails is neither counted nor forgotten."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import long


class Long(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        long.TOP, long.PROOF, long.LOGS = self.folder, self.folder / "proof.md", self.folder

    def run_with(self, command, *arguments):
        long.PARTS = [long.Part("echoes", "echoes", 25, 10, 1, "", (), command, r"^(\d+) done, seed \d+$")]
        sys.argv = ["long.py", *arguments]
        return long.main()

    def reached(self):
        return long.load()["echoes"]

    def test_goes_on_where_it_stopped(self):
        self.assertEqual(self.run_with('echo "$COUNT done, seed $SEED"', "--minutes", "0"), 0)
        self.assertEqual(self.reached().count, 0)
        self.assertEqual(self.run_with('echo "$COUNT done, seed $SEED"; [ $SEED -le 11 ]'), 1)
        now = self.reached()
        self.assertEqual((now.count, now.failures, now.seed), (20, 1, 26))
        self.assertEqual(self.run_with('echo "$COUNT done, seed $SEED"'), 0)
        now = self.reached()
        self.assertEqual((now.count, now.failures, now.seed), (25, 1, 31))
        self.assertEqual(self.run_with("exit 1"), 0, "nothing is left to do")

    def test_keeps_what_another_part_reached_meanwhile(self):
        parts = [long.Part(name, name, 25, 10, 1, "", (), "exit 1", "^$") for name in ("echoes", "others")]
        long.PARTS = parts
        long.save(parts[0], long.Reached(10, 0, 11))
        long.save(parts[1], long.Reached(20, 1, 21))
        self.assertEqual([(row.count, row.seed) for row in long.load().values()], [(10, 11), (20, 21)])

    def test_takes_a_run_that_counted_nothing_for_a_failure(self):
        self.assertEqual(self.run_with("echo nothing"), 1)
        self.assertEqual((self.reached().count, self.reached().failures), (0, 1))

    def test_names_a_commit_dirty_only_for_what_was_tried(self):
        git = ["git", "-C", str(self.folder), "-c", "user.name=a", "-c", "user.email=a@b"]
        (self.folder / "docs").mkdir()
        for name in ("docs/proof.md", "program"):
            (self.folder / name).write_text("one")
        for step in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run([*git, *step], check=True)
        (self.folder / "docs" / "proof.md").write_text("two")
        self.assertRegex(long.commit(), "^[0-9a-f]+$")
        (self.folder / "program").write_text("two")
        self.assertRegex(long.commit(), "^[0-9a-f]+-dirty$")


if __name__ == "__main__":
    unittest.main()
