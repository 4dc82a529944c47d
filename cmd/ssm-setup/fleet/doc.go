// Package fleet has the command of ssm-setup that looks at the hosts of a region as its service lists them: nodes. It asks with the
// credentials of the caller, as publish does, and changes nothing.
//
// Parties: agent/cloud makes the requests, installer/credentials finds the credentials. It owns no files.
//
// What must always be true: a host is shown once; what the service does not say is left empty and never guessed.
package fleet
