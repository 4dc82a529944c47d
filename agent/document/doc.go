// Package document reads a document as data: bytes and parameters in, steps out. It is pure: no file, no network, no
// clock; what a document may ask of the outside (parameter-store values) is a function handed in.
//
//	document.go      schema versions and the two bodies: runtimeConfig (1.x), mainSteps (2.x)
//	parameters.go    definitions, defaults, which supplied values count and which are refused
//	validate.go      allowedPattern for all; the other limits for documents run by a document
//	substitute.go    {{ name }} by the rules of the original, to the letter
//	variables.go     parameters that reach scripts as environment variables
//	store.go         {{ssm:name}} references, found, fetched ten at a time, put in
//	precondition.go  shall this step run here, and the words for why not
//	name.go          document names and ARNs with a version suffix
//
// A document that breaks a rule is rejected whole, before any step runs; the error's text is what the service shows
// (docs/protocol/runcommand.md, "Documents"). A step keeps its inputs as JSON values (string, float64, bool, nil, []any,
// map[string]any): what they mean is the business of agent/plugins.
package document
