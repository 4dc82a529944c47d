package main

// registerCLI is the command line of amazon-ssm-agent: register, fingerprint, version. (owner: identity helper)
func registerCLI(args []string) int { return 1 }
