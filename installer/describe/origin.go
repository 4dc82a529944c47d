package describe

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Origin is where a release's programs come from, as far as it could be checked.
type Origin struct {
	Commit string // hexadecimal; every file that was compiled is in it, byte for byte. Empty: not known
	Remote string // address of the tree's own repository (its remote "origin"), without names of accounts; empty: none, or a place on a disk
	Given  string // a commit that was given where there is no repository to compare with; never together with Commit
	Why    string // why there is no commit, for people
}

// ErrCommit says that SOURCE_COMMIT is not what it should be.
var ErrCommit = fault.New(fault.Usage, "SOURCE_COMMIT is not the commit of the source",
	"leave SOURCE_COMMIT out: where there is a repository its commit is found and checked")

var commitName = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// OriginOf compares what was compiled with the commit of the tree it lies in: files (below source, with slashes) have the commit's
// content, whatever git's index says about them; one that git ignores or does not know is in no commit. given is SOURCE_COMMIT, for
// trees without a repository. source may be empty: given programs are packed.
func OriginOf(given, source string, files []string) (o Origin, err error) {
	if given != "" && !commitName.MatchString(given) {
		return o, fmt.Errorf("%w: %q is no commit's full name", ErrCommit, given)
	}
	if source == "" {
		return Origin{Given: given, Why: "given programs are packed"}, nil
	}
	head, err := git(source, "rev-parse", "--verify", "HEAD^{commit}")
	if err != nil {
		return Origin{Given: given, Why: "the source is in no git repository that can be read"}, nil
	}
	if given != "" && given != head {
		return o, fmt.Errorf("%w: it says %s, the source is at %s", ErrCommit, given, head)
	}
	remote, _ := git(source, "config", "--get", "remote.origin.url") // without one there is none to name
	o.Remote = remoteAddress(remote)
	if o.Why, err = difference(source, files); err == nil && o.Why == "" {
		o.Commit = head
	}
	return o, err
}

// difference names the first file that is not the commit's.
func difference(source string, files []string) (string, error) {
	if len(files) == 0 {
		return "it is not known what was compiled", nil
	}
	prefix, err := git(source, "rev-parse", "--show-prefix")
	if err != nil {
		return "", err
	}
	listed, err := git(source, "ls-tree", "-r", "-z", "--full-tree", "HEAD")
	if err != nil {
		return "", err
	}
	committed := map[string]string{}
	for line := range strings.SplitSeq(listed, "\x00") {
		if about, name, ok := strings.Cut(line, "\t"); ok {
			committed[name] = about[strings.LastIndexByte(about, ' ')+1:]
		}
	}
	cmd := gitCommand(source, "hash-object", "--no-filters", "--stdin-paths")
	cmd.Stdin = strings.NewReader(strings.Join(files, "\n") + "\n")
	out, err := cmd.Output()
	sums := bytes.Fields(out)
	if err != nil || len(sums) != len(files) {
		return "", fmt.Errorf("git hash-object: %d of %d files: %w", len(sums), len(files), err)
	}
	for i, name := range files {
		switch sum, ok := committed[path.Join(prefix, name)]; {
		case !ok:
			return name + " was compiled, and is not in the commit", nil
		case sum != string(sums[i]):
			return name + " differs from the commit", nil
		}
	}
	return "", nil
}

// gitCommand is git in the source's own repository, whatever the environment names, and without replaced objects.
func gitCommand(source string, args ...string) *exec.Cmd {
	cmd := exec.Command("git", append([]string{"-C", source, "--no-replace-objects"}, args...)...) //nolint:noctx // git answers from this disk
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") || strings.HasPrefix(v, "GIT_CONFIG") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

// remoteAddress is a remote's address for others: no account, no password, and nothing of a place on this machine's disk.
func remoteAddress(remote string) string {
	if before, after, ok := strings.Cut(remote, ":"); ok && !strings.Contains(before, "/") && !strings.HasPrefix(after, "//") &&
		len(before) > 1 {
		remote = "ssh://" + before + "/" + strings.TrimPrefix(after, "/") // git@host:path
	}
	u, err := url.Parse(remote)
	if err != nil || u.Host == "" {
		return ""
	}
	switch u.Scheme {
	case "http", "https", "ssh", "git":
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), ".git")
		return u.String()
	}
	return ""
}
