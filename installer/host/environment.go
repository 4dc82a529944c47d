package host

import (
	"os"
	"path/filepath"
	"strings"
)

// CleanEnvironment is the environment of every program of an installation that is started from a shell or by another tool: the
// launcher without a service manager, registrations, package managers, self-tests. Of env, a list of name=value, it has what is on one
// list and nothing else, so that no secret and no setting of the one who installs reaches the agent and its commands:
//
//	PATH               the system's own
//	HOME, USER         what the user database says of this process's account; on Windows its profile
//	LANG, LC_*, TZ     as in env
//	proxy variables    as in env
//	AWS_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR   as in env, where only root (or this account) can change what they name
//
// credentials, where it is not empty, is the file of shared credentials that the program is to use; more is added as it is.
func CleanEnvironment(env []string, credentials string, more ...string) []string {
	out := systemEnvironment()
	for _, entry := range env {
		if name, value, ok := strings.Cut(entry, "="); ok && allowed(name, value) {
			out = append(out, entry)
		}
	}
	if credentials != "" {
		out = append(out, "AWS_SHARED_CREDENTIALS_FILE="+credentials)
	}
	return append(out, more...)
}

// allowed tells whether a variable may come from the environment of the one who starts a program.
func allowed(name, value string) bool {
	switch name {
	case "LANG", "TZ":
		return true
	case "AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR":
		return filepath.IsAbs(value) && onlyOurs(value)
	}
	return strings.HasPrefix(name, "LC_") || IsProxyVariable(name)
}

// IsProxyVariable tells whether a variable says how to reach other machines; either spelling counts.
func IsProxyVariable(name string) bool {
	switch strings.ToLower(name) {
	case "http_proxy", "https_proxy", "no_proxy", "all_proxy":
		return true
	}
	return false
}

// onlyOurs tells whether a file or folder, links followed, and all folders on the way are out of other accounts' reach.
func onlyOurs(path string) bool {
	info, err := os.Stat(path)
	if err != nil || CheckFolders(filepath.Dir(path), "") != nil {
		return false
	}
	return info.IsDir() && CheckFolders(path, "") == nil || !info.IsDir() && CheckFile(path) == nil
}

// WithoutVariables is env, a list of name=value, without the entries that begin with one of the prefixes.
func WithoutVariables(env []string, prefixes ...string) []string {
	var out []string
next:
	for _, entry := range env {
		for _, prefix := range prefixes {
			if strings.HasPrefix(entry, prefix) {
				continue next
			}
		}
		out = append(out, entry)
	}
	return out
}
