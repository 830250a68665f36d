// The regions and the protocol that the command line names, and a wait for a condition.
"use strict";

const [us, eu, protocol] = process.argv.slice(2).map(Number);
// What CLIENT INFO reports of a connection that speaks this protocol.
const spoken = new RegExp(`resp=${protocol}`);

// Check again and again until the condition holds. The caller of this process limits the time.
async function eventually(holds) {
  while (!(await holds())) await new Promise((done) => setTimeout(done, 5));
}

module.exports = { us, eu, protocol, spoken, eventually };
