// Package terminal is the one place of ssm-setup that speaks to people: results, steps, progress bars, errors with their hints, and the
// same as JSON. printer.go writes, question.go asks, progress.go draws the bars, problem.go is what a failure is to people.
//
// What must always be true: results go to standard output, all else to standard error; with --json both are JSON and nothing else; a line
// that is drawn never wraps; what comes from outside is printed without control characters.
package terminal
