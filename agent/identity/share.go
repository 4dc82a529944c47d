package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// keys are one set of temporary credentials as the shared file holds it.
type keys struct{ access, secret, token string }

func (k keys) complete() bool { return k.access != "" && k.secret != "" && k.token != "" }

// share is one profile of a shared credentials file (docs/protocol/identity.md, "Shared credentials file").
type share struct{ file, profile string }

const defaultProfile = "default"

func (s share) section() string {
	if s.profile == "" {
		return defaultProfile
	}
	return s.profile
}

// read is the profile's credentials; fs.ErrNotExist when the file or one of the three keys is missing.
func (s share) read() (keys, error) {
	file, err := openShared(s.file, false)
	if err != nil {
		return keys{}, err
	}
	defer file.Close()
	text, err := file.read()
	if err != nil {
		return keys{}, err
	}
	var k keys
	section := ""
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := sectionOf(line); ok {
			section = name
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != s.section() {
			continue
		}
		switch value = strings.TrimSpace(value); keyName(key) {
		case "aws_access_key_id":
			k.access = value
		case "aws_secret_access_key":
			k.secret = value
		case "aws_session_token":
			k.token = value
		}
	}
	if !k.complete() {
		return keys{}, fmt.Errorf("no complete credentials for profile %s in %s: %w", s.section(), s.file, fs.ErrNotExist)
	}
	return k, nil
}

// write puts the credentials into the profile and leaves every other line of the file as it is. A new file has mode 0600 in
// folders of 0700; one that was there keeps its mode. Unlike the original, which replaces a file it cannot parse, this works
// line by line and never needs to.
func (s share) write(k keys) error {
	file, err := openShared(s.file, true)
	if err != nil {
		return err
	}
	defer file.Close()
	old, err := file.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return file.replace([]byte(replaceProfile(string(old), s.section(), k)))
}

// replaceProfile is the text of the file with the credentials in place.
func replaceProfile(text, profile string, k keys) string {
	ours := fmt.Sprintf("aws_access_key_id     = %s\naws_secret_access_key = %s\naws_session_token     = %s\n", k.access, k.secret, k.token)
	var b strings.Builder
	section, done := "", false
	for _, line := range strings.SplitAfter(text, "\n") {
		if name, ok := sectionOf(line); ok {
			section = name
			b.WriteString(line)
			if section == profile && !done {
				if !strings.HasSuffix(line, "\n") {
					b.WriteByte('\n')
				}
				b.WriteString(ours)
				done = true
			}
			continue
		}
		if section == profile && credentialLine(line) {
			continue
		}
		b.WriteString(line)
	}
	if done {
		return b.String()
	}
	if out := b.String(); out != "" && !strings.HasSuffix(out, "\n") {
		b.WriteByte('\n')
	}
	b.WriteString("[" + profile + "]\n" + ours + "\n")
	return b.String()
}

// sectionOf is the name of a section header line.
func sectionOf(line string) (string, bool) {
	line = strings.TrimSpace(strings.TrimPrefix(line, "\xEF\xBB\xBF"))
	if !strings.HasPrefix(line, "[") {
		return "", false
	}
	name, _, ok := strings.Cut(line[1:], "]")
	return strings.TrimSpace(name), ok
}

func keyName(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// credentialLine tells the three keys, which are written anew.
func credentialLine(line string) bool {
	key, _, ok := strings.Cut(line, "=")
	switch keyName(key) {
	case "aws_access_key_id", "aws_secret_access_key", "aws_session_token":
		return ok
	}
	return false
}
