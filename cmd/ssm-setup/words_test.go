package main

import (
	"regexp"
	"testing"
)

func TestHelpHasPlainWords(t *testing.T) {
	texts := []string{ssmSetup("help").out}
	for _, make := range subcommands {
		texts = append(texts, ssmSetup(make().Name, "--help").out)
	}
	ours := regexp.MustCompile(`(?i)\b(floor|store|pointer|sequence|ring|beats?|deaf|probation|made room|held back|went back|verbs?|nobody|somebody|whoever)\b`)
	for _, text := range texts {
		if word := ours.FindString(text); text == "" || word != "" {
			t.Errorf("%q in\n%s", word, text)
		}
	}
}
