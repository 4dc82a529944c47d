// Package systems is the table of what the agent runs on. The README shows it, packages check it in their own scripts, and
// ssm-setup install checks it before it changes anything; all three are made from [Table].
//
// What must always be true: a system that is too old is refused politely, with the reason and before a change; one that is in
// no table (an unknown distribution, a testing release without a number) is not refused for that.
package systems
