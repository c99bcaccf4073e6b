// SPDX-License-Identifier: Apache-2.0
// A program of a test's own: started with exactly this environment, told apart by what it says, stopped in order.
import { spawn } from "node:child_process";

/** Once it said what fits `ready`: {child, found}. */
export function start(program, args, environment, ready) {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  return new Promise((resolve, reject) => {
    const hear = (data) => {
      said += data;
      const found = ready.exec(said);
      if (found) resolve({ child, found });
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`ended early: ${said}`)));
  });
}

export async function stop({ child }, signal = "SIGTERM") {
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.on("exit", resolve));
}
