// Package timer has the system run ssm-setup every few hours, on a machine with Amazon's own agent: that agent cannot follow a source by
// itself, so ssm-setup does it from outside.
//
// Parties: ssm-setup install --agent original --stay-current writes the timer ([Timer.Write]), ssm-setup uninstall removes it
// ([Timer.Remove]), and so does an exchange of Amazon's agent for this project's (updater/takeover).
// A unit of systemd, a job of launchd, or a task of Windows runs the program.
//
// # Files it owns
//
//	/etc/systemd/system/ssm-setup-update.service, .timer
//	/Library/LaunchDaemons/com.ssm-setup.update.plist
//
// and the task "ssm-setup update" of Windows.
//
// What must always be true:
//   - only a program that other accounts cannot change is run, and only keys are trusted that they cannot: [Timer.Write] refuses a
//     program, or a key, in a folder of theirs;
//   - it takes the packages that the installation took: the keys, and the word that none is needed, stand in its command;
//   - hosts do not come together: the time of each is spread over the period (systemd: by the machine's id; elsewhere by a hash of the
//     host's name);
//   - ssm-setup renews itself by it only while a root of trust verifies what it takes: self-update --scheduled asks each time, so that
//     pinning a root and clearing it change no timer;
//   - what it runs is told that no person asked (--scheduled): the region's halt and shares of hosts count, and it waits for the next
//     maintenance window where that opens before the program runs again.
package timer
