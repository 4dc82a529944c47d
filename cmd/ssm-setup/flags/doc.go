// Package flags has what several commands of ssm-setup read from their command lines: regions and addresses. The rooms of commands use it;
// it knows none of them.
//
// What must always be true: a malformed value is refused here, with the same words in each command.
package flags
