//go:build linux

// Command explorer walks the states of test/model. It is compiled with the overlay of that room.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

func main() {
	only := flag.String("scenarios", "", "names, with commas; empty: all")
	rule := flag.String("without", "", "a rule that is taken away")
	first := flag.Bool("first", false, "tell no life")
	var b bounds
	flag.IntVar(&b.faults, "faults", 1, "in one history")
	flag.IntVar(&b.cuts, "cuts", 9, "power cuts in one history")
	flag.IntVar(&b.kills, "kills", 9, "other faults in one history")
	flag.IntVar(&b.all, "all", 4, "uncertain changes of which every subset is lost")
	flag.Parse()
	debug.SetGCPercent(400)
	bad := 0
	for _, s := range scenarios() {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.name) {
			continue
		}
		s.off, s.seen = map[string]bool{*rule: true}, map[string]bool{}
		x := newExplorer(s, b)
		x.first = *first
		began := time.Now()
		x.explore()
		fmt.Printf("%-20s %7d states %7d lives %9d steps %6.1f s", s.name, x.states, x.lives, x.steps, time.Since(began).Seconds())
		if x.bad != "" {
			bad++
			fmt.Printf(" BAD: %s", x.bad)
		}
		fmt.Println()
	}
	if bad > 0 {
		os.Exit(1)
	}
}
