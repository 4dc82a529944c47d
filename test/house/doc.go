// Package house guards the structure of the project: which room may import which, what the host binaries must never link,
// which library has which one door. It is the living form of the architecture; a change here is a change of the design.
package house
