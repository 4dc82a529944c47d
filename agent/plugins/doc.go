// Package plugins holds the actions a document's steps may name: one file per action and one row in the table.
//
//	table.go            what is known, where it is supported, what runs it
//	action.go           what an action gets and gives back
//	script.go           a script as a process group: output, time limit, cancel, exit codes
//	runshellscript.go   aws:runShellScript          runpowershellscript.go   aws:runPowerShellScript
//	updatessmagent.go   aws:updateSsmAgent          refuse.go                actions that only have a text to say
//
// What actions need beyond that, such as an update of the agent, is handed to the table as functions ([Ports]).
//
// An action writes its streams to the writers it is given, sees the end of its context as the order to stop, and says how it went;
// it never touches the wire, the journal or another step. Texts, codes and file names are those of the original
// (docs/protocol/runcommand.md, "Plugins").
package plugins
