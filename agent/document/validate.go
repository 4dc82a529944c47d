package document

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// validate checks the values against the definitions. All documents: allowedPattern. Documents run by a document (strict):
// all limits, but not where the raw value refers to the parameter store (docs/protocol/runcommand.md, "Parameter definitions").
func (s *source) validate(values map[string]any, f *fetched, strict bool) error {
	all := make([]any, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, values[name])
	}
	if err := f.need(all...); err != nil {
		return err
	}
	var failures []string
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		def := s.Parameters[name]
		if def == nil || !plainName(name) {
			continue
		}
		resolved, err := f.replace(values[name])
		if err != nil {
			return err
		}
		checks := []check{{"AllowedRegexParamValidator", matches}}
		if def.asVariable(s.SchemaVersion) {
			checks = append(checks, check{"AllowedValueParamValidator", allowed})
		}
		if strict && len(references(values[name])) == 0 {
			checks = strictChecks()
		}
		for _, c := range checks {
			if reason := c.find(*def, resolved); reason != "" {
				failures = append(failures, fmt.Sprintf("error thrown in '%s' while validating parameter /%s/: %s",
					c.name, name, reason))
			}
		}
	}
	if failures == nil {
		return nil
	}
	return fmt.Errorf("all errors during param validation errors: %s", strings.Join(failures, "\n"))
}

// check is one validator: its name in messages, and a function that says what is wrong.
type check struct {
	name string
	find func(def Definition, v any) string
}

func strictChecks() []check {
	return []check{
		{"AllowedRegexParamValidator", matches},
		{"MinMaxCharParamValidator", chars},
		{"MinMaxItemParamValidator", items},
		{"AllowedValueParamValidator", allowed},
	}
}

// matches tests every text of v against the pattern, anywhere in it. A map is tested as JSON, and shown as map[key:value].
func matches(def Definition, v any) string {
	if def.AllowedPattern == "" {
		return ""
	}
	if v == nil {
		return fmt.Sprintf("invalid parameter type %s with parameter value <nil>", def.Type)
	}
	pattern, err := regexp.Compile(def.AllowedPattern)
	if err != nil {
		return fmt.Sprintf("encountered error while compiling allowed pattern - internal error: %v", err)
	}
	elements, ok := v.([]any)
	if !ok {
		elements = []any{v}
	}
	for _, element := range elements {
		if !pattern.MatchString(asText(element)) {
			return fmt.Sprintf("parameter value /%v/ does not match the allowed pattern /%s/", element, def.AllowedPattern)
		}
	}
	return ""
}

// texts is what is tested of a value: a string, each element of a list, a map as one JSON text.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{asText(v)}
	}
	out := make([]string, len(list))
	for i, element := range list {
		out[i] = asText(element)
	}
	return out
}

func chars(def Definition, v any) string {
	if v == nil || def.Type == "Integer" || def.Type == "Boolean" {
		return ""
	}
	for _, t := range texts(v) {
		if low := def.MinChars.or(0); len(t) < low {
			return fmt.Sprintf("parameter value /%s/ is less than the min char limit /%d/", t, low)
		}
		if high := def.MaxChars.or(math.MaxInt32); len(t) > high {
			return fmt.Sprintf("parameter value /%s/ is exceeding the max chars /%d/", t, high)
		}
	}
	return ""
}

func items(def Definition, v any) string {
	if v == nil || def.Type == "Integer" || def.Type == "Boolean" || def.Type == "String" {
		return ""
	}
	n := 1
	switch v := v.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	}
	if n < def.MinItems.or(0) {
		return fmt.Sprintf("parameter value list length /%d/ is less the min item count", n)
	}
	if high := def.MaxItems.or(math.MaxInt32); n > high {
		return fmt.Sprintf("parameter value list length /%d/ has exceeded the max item count", high)
	}
	return ""
}

func allowed(def Definition, v any) string {
	switch def.Type {
	case "Integer":
		return sameInteger(def, v)
	case "Boolean":
		if def.Default != nil && !reflect.DeepEqual(asText(v), asText(def.Default)) {
			return fmt.Sprintf("parameter value /%s/ not equal to default for Boolean", asText(v))
		}
		return ""
	}
	if len(def.AllowedValues) == 0 || v == nil {
		return ""
	}
	for _, t := range texts(v) {
		if !slices.Contains(def.AllowedValues, t) {
			return fmt.Sprintf("parameter value /%s/ is not in the allowed list %v", t, def.AllowedValues)
		}
	}
	return ""
}

// sameInteger: an Integer has to equal its default, if it has one.
func sameInteger(def Definition, v any) string {
	if v == nil {
		return ""
	}
	n, err := strconv.ParseFloat(asText(v), 64)
	if err != nil {
		return fmt.Sprintf("could not convert /%s/ to float64 for Integer", asText(v))
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return fmt.Sprintf("out-of-boundary error for parameter value /%s/ for type Integer ", asText(v))
	}
	if def.Default == nil {
		return ""
	}
	if d, err := strconv.ParseFloat(asText(def.Default), 64); err != nil || d != n {
		return fmt.Sprintf("parameter value /%s/ not equal to default /%s/ for Integer", asText(v), asText(def.Default))
	}
	return ""
}
