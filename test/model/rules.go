package model

// Rule is a rule of the product that the model can take away.
type Rule struct {
	Name      string // as the explorer knows it
	Scenarios string // of the explorer in which its lack shows, with commas
	Faults    string // further arguments of the explorer
	Edits     []edit // the code asks disk.Off before it obeys
}

const (
	cuts  = "-kills=0"         // power cuts only
	kills = "-cuts=0"          // processes that end or stand still, only
	none  = "-cuts=0 -kills=0" // it shows without a fault
)

// Rules are the rules. A row's edits name the code that obeys the rule, so that a row that is behind the code is a failure.
func Rules() []Rule {
	rows := []Rule{}
	for _, part := range [][]Rule{diskRules(), recordRules(), launcherRules(), watchRules()} {
		rows = append(rows, part...)
	}
	return rows
}

// diskRules are those on what is certain before what.
func diskRules() []Rule {
	return []Rule{
		{"a pointer that was written is synced", "rollback", cuts, []edit{{"installer/store/slots.go", "return f.Sync()\n}",
			"if os.Off(`a pointer that was written is synced`) { return nil }; return f.Sync()\n}"}}},
		{"the slot that does not count is overwritten", "second", cuts, []edit{{"installer/store/slots.go",
			"slot, now, err := s.older()\n", "slot, now, err := s.older(); " +
				"if os.Off(`the slot that does not count is overwritten`) { slot = 1 - slot }\n"}}},
		{"a slot counts only with its checksum", "good", cuts, []edit{{"installer/pointer/state.go",
			"if strings.TrimRight(rest, \" \\n\") != ",
			"if !os.Off(`a slot counts only with its checksum`) && strings.TrimRight(rest, \" \\n\") != "}}},
		{"a token that was taken is synced", "good", none, []edit{{"installer/pointer/token.go",
			"return host.SyncDir(dir)", "if os.Off(`a token that was taken is synced`) { return nil }; return host.SyncDir(dir)"}}},
		{"a start on trial costs a token", "good", "", []edit{{"installer/launcher/start.go",
			"if l.state.Probation && t == l.state.Active && !atEnd {",
			"if l.state.Probation && t == l.state.Active && !atEnd && !os.Off(`a start on trial costs a token`) {"}}},
		{"tokens are synced before a pointer says probation", "good", cuts, []edit{{"installer/store/tokens.go",
			"return sequence, host.SyncDir(dir)",
			"if os.Off(`tokens are synced before a pointer says probation`) { return sequence, nil }; return sequence, host.SyncDir(dir)"}}},
		{"a program is synced before it has its name", "good", cuts, []edit{{"installer/host/write.go",
			"if err := n.file.Sync(); err != nil {\n\t\treturn err",
			"if os.Off(`a program is synced before it has its name`) {\n\t} else if err := n.file.Sync(); err != nil {\n\t\treturn err"}}},
		{"a version's name is synced", "good", cuts, []edit{{"installer/store/store.go", "return host.SyncDir(s.Paths.StoreDir())",
			"if os.Off(`a version's name is synced`) { return nil }; return host.SyncDir(s.Paths.StoreDir())"}}},
	}
}

// recordRules are those on the ledger and on what an updater does with it.
func recordRules() []Rule {
	return []Rule{
		{"a record is synced", "good", cuts, []edit{{"updater/ledger/file.go", "err = b.sync(f)",
			"if !os.Off(`a record is synced`) { err = b.sync(f) }"}}},
		{"a record never goes over the one that is certain", "good", cuts, []edit{{"updater/ledger/file.go", "if b.slot == 0 {",
			"if (b.slot == 0) != os.Off(`a record never goes over the one that is certain`) {"}}},
		{"the record has the sequence before the pointer does", "dead", cuts, []edit{{"updater/switch.go",
			"if err := w.ledger.Save(true); err != nil {\n\t\treturn err\n\t}\n\tif w.crash(\"before the pointer\")",
			"if os.Off(`the record has the sequence before the pointer does`) {\n\t} else if err := w.ledger.Save(true); err != nil {" +
				"\n\t\treturn err\n\t}\n\tif w.crash(\"before the pointer\")"}}},
		{"the pointer's sequence decides how an update goes on", "good", cuts, []edit{{"updater/resume.go",
			"written := w.u.Sequence != 0 && state.Sequence >= w.u.Sequence\n",
			"written := w.u.Sequence != 0 && state.Sequence >= w.u.Sequence && " +
				"!os.Off(`the pointer's sequence decides how an update goes on`)\n"}}},
		{"outcome and answer are one record", "good", "", []edit{{"updater/finish.go", "if owed != nil {\n\t\tb.NoteOwed(*owed)",
			"if owed != nil && !os.Off(`outcome and answer are one record`) {\n\t\tb.NoteOwed(*owed)"}}},
		{"a version that failed is blocked", "dead", none, []edit{{"updater/finish.go",
			"default:\n\t\t\tb.Block(o.ToVersion, o.Reason, false, now)",
			"case !os.Off(`a version that failed is blocked`):\n\t\t\tb.Block(o.ToVersion, o.Reason, false, now)"}}},
		{"what falls back is written down and blocked", "late", none, []edit{{"updater/align.go", "\tif !m.align {\n",
			"\tif !m.align || os.Off(`what falls back is written down and blocked`) {\n"}}},
		{"a package keeps what ran before it", "package-alone-dead", none, []edit{{"installer/store/floor.go",
			"if !state.Active.IsFloor() || state.Probation {",
			"if !state.Active.IsFloor() || state.Probation || os.Off(`a package keeps what ran before it`) {"}}},
	}
}

// launcherRules are those of the launcher.
func launcherRules() []Rule {
	return []Rule{
		{"what died as often as it may is passed over", "late", none, []edit{{"installer/launcher/judge.go", "if d.last {",
			"if d.last && !os.Off(`what died as often as it may is passed over`) {"}}},
		{"on trial an end of its own doing is enough", "dead", kills, []edit{{"installer/launcher/judge.go",
			"enough = own || n >= l.Timing.Fewer", "enough = own && !os.Off(`on trial an end of its own doing is enough`) || n >= l.Timing.Fewer"}}},
		{"the ring holds the version before", "package-alone-dead", none, []edit{{"installer/pointer/ring.go", "add(s.Previous)",
			"if !os.Off(`the ring holds the version before`) { add(s.Previous) }"}}},
		{"a new package goes first", "package", none, []edit{{"installer/pointer/ring.go", "if f.Whole && s.FloorFirst(f.Floor) {",
			"if f.Whole && s.FloorFirst(f.Floor) && !os.Off(`a new package goes first`) {"}}},
		{"the launcher has a trial looked after", "good", kills, []edit{{"installer/launcher/start.go", "if !l.state.Probation || (",
			"if os.Off(`the launcher has a trial looked after`) || !l.state.Probation || ("}}},
	}
}

// watchRules are those of the watch over a version on trial.
func watchRules() []Rule {
	return []Rule{
		{"what does not reach the service is not confirmed", "mute", none, []edit{{"updater/watch/rules.go",
			"(p.round || !p.before.Registered) &&",
			"(p.round || !p.before.Registered || os.Off(`what does not reach the service is not confirmed`)) &&"}}},
		{"a watch ends with a beat", "brief", kills, []edit{{"updater/watch/rules.go", "< Silence(p.watch) && toTheEnd",
			"< Silence(p.watch) && (toTheEnd || os.Off(`a watch ends with a beat`))"}}},
		{"another version under this sequence ends the trial", "dead", kills, []edit{{"updater/watch/rules.go",
			"case pulse.Sequence == p.version.Sequence && !Runs(pulse, p.version.Target, p.version.Number):",
			"case pulse.Sequence == p.version.Sequence && !Runs(pulse, p.version.Target, p.version.Number) && " +
				"!os.Off(`another version under this sequence ends the trial`):"}}},
		{"one kill from outside is no verdict", "good", kills, []edit{{"updater/watch/rules.go", "case p.deaths >= mostKilled:",
			"case p.deaths >= mostKilled || os.Off(`one kill from outside is no verdict`):"},
			{"installer/launcher/judge.go", "n := len(recent) + 1\n",
				"n := len(recent) + 1; if os.Off(`one kill from outside is no verdict`) { n++ }\n"}}},
	}
}
