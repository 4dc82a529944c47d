package house_test

import (
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// citation is docs/protocol/<file>.md, followed by any number of section titles: , "Lock" and "Files".
	citation = regexp.MustCompile(`docs/protocol/([A-Za-z]+)\.md((?:(?:,| and|, and|,? to|;)? "[^"]+")*)`)
	title    = regexp.MustCompile(`"([^"]+)"`)

	// papers are references by number: a file and its section, as comments cited them before the files were here, or an item of a
	// list elsewhere.
	papers = regexp.MustCompile(`(?i)\bspec,? (?:update|identity|runcommand|session|state|newer|\d)|\bnewer\.md|` +
		`\b(?:update|identity|runcommand|session|state)(?:\.md)?,? (?:section )?\d{1,2}(?:\.\d{1,2}){0,2}(?:[ ,;:)]|\.\s|\.?$)|` +
		`\bbehaviours? \d`)

	// continued is a line break inside a comment.
	continued = regexp.MustCompile(`\s*\n[ \t]*(?://|#|\*)?[ \t]*`)

	// reference is <file>.md <section>[, <section>][ and <section>].
	reference = regexp.MustCompile("\\b([a-z]+)\\.md`? ([0-9]+(?:\\.[0-9]+)*(?:(?:, | and )[0-9]+(?:\\.[0-9]+)+| and [0-9]+\\b)*)")
	section   = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)*`)

	heading  = regexp.MustCompile(`(?m)^##+ +(.+)$`)
	number   = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)*\.? `)
	remark   = regexp.MustCompile(` \([^()]*\)$`)
	comment  = regexp.MustCompile(`(?m)(?://|#) .*(?:\n[ \t]*(?://|#).*)*`)
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	fenced   = regexp.MustCompile("(?ms)^```.*?^```")
	inlined  = regexp.MustCompile("`[^`\n]*`")
	unlinked = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// sources are the text files below the root that hold comments: Go, scripts, stories, workflows.
func sources(t *testing.T) map[string]string {
	t.Helper()
	return texts(t, ".go", ".sh", ".txt", ".txtar", ".yml", ".yaml", ".ps1", "Makefile", "run")
}

// texts reads the files below the root whose names end so, by their paths with slashes. Hidden folders are .ci alone.
func texts(t *testing.T, endings ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() != ".ci" && strings.HasPrefix(d.Name(), ".") || d.Name() == "dist" {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(d.Name(), e) }) {
			return nil
		}
		rel, err := filepath.Rel(root(t), path)
		if err != nil {
			return err
		}
		found[filepath.ToSlash(rel)] = readFile(t, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// titles are the headings of a file as they are cited: no number, no backquotes; with and without a remark at the end, in brackets
// or after a dash.
func titles(t *testing.T, text string) []string {
	t.Helper()
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		full := strings.ReplaceAll(number.ReplaceAllString(strings.TrimSpace(m[1]), ""), "`", "")
		all = append(all, full)
		if short := remark.ReplaceAllString(full, ""); short != full {
			all = append(all, short)
		}
		if first, second, ok := strings.Cut(full, " — "); ok {
			all = append(all, first, second)
		}
	}
	return all
}

func TestCitationsOfTheProtocolNameSectionsThatExist(t *testing.T) {
	sections := map[string][]string{}
	for path, text := range texts(t, ".md") {
		if file, ok := strings.CutPrefix(path, "docs/protocol/"); ok {
			sections[strings.TrimSuffix(file, ".md")] = titles(t, text)
		}
	}
	all := sources(t)
	maps.Copy(all, texts(t, ".md"))
	for path, text := range all {
		for _, m := range citation.FindAllStringSubmatch(continued.ReplaceAllString(text, " "), -1) {
			known, ok := sections[m[1]]
			if !ok {
				t.Errorf("%s cites docs/protocol/%s.md, which does not exist", path, m[1])
				continue
			}
			for _, cited := range title.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(known, cited[1]) {
					near := slices.DeleteFunc(slices.Clone(known), func(k string) bool {
						return !strings.Contains(strings.ToLower(k), strings.ToLower(cited[1]))
					})
					t.Errorf("%s cites %q: docs/protocol/%s.md has no section of this title, but %q", path, cited[1], m[1], near)
				}
			}
		}
	}
}

func TestSectionsOfTheProtocolHaveTitlesOfTheirOwn(t *testing.T) {
	for path, text := range texts(t, ".md") {
		if !strings.HasPrefix(path, "docs/protocol/") {
			continue
		}
		all := titles(t, text)
		for i, s := range all {
			if strings.Trim(s, "0123456789. ") == "" {
				t.Errorf("%s: the heading %q says nothing", path, s)
			}
			if slices.Contains(all[:i], s) {
				t.Errorf("%s has two sections %q", path, s)
			}
		}
	}
}

// The files refer to each other by number.
func TestReferencesBetweenTheProtocolFilesNameSectionsThatExist(t *testing.T) {
	pages := texts(t, ".md")
	for path, text := range pages {
		if !strings.HasPrefix(path, "docs/protocol/") {
			continue
		}
		for _, m := range reference.FindAllStringSubmatch(continued.ReplaceAllString(text, " "), -1) {
			page, ok := pages["docs/protocol/"+m[1]+".md"]
			for _, cited := range section.FindAllString(m[2], -1) {
				if !ok || !regexp.MustCompile(`(?m)^##+ +`+regexp.QuoteMeta(cited)+`\.? `).MatchString(page) {
					t.Errorf("%s refers to %s.md %s, which does not exist", path, m[1], cited)
				}
			}
		}
	}
}

func TestCommentsCiteNoPapersOutsideTheRepository(t *testing.T) {
	for path, text := range sources(t) {
		for _, c := range comment.FindAllString(text, -1) {
			for _, m := range papers.FindAllString(continued.ReplaceAllString(c, " "), -1) {
				t.Errorf("%s says %q, which is not in the repository; cite docs/protocol/<file>.md, \"<Title>\"", path, m)
			}
		}
	}
}

func TestLinksInTheDocumentationResolve(t *testing.T) {
	pages := texts(t, ".md")
	for path, text := range pages {
		if path != "README.md" && !strings.HasPrefix(path, "docs/") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(inlined.ReplaceAllString(fenced.ReplaceAllString(text, ""), ""), -1) {
			u, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if u.Scheme != "" || u.Host != "" {
				continue
			}
			target := path
			if u.Path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(path), u.Path))
			}
			if _, err := os.Stat(filepath.Join(root(t), target)); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, m[1])
				continue
			}
			if page, ok := pages[target]; ok && u.Fragment != "" && !slices.Contains(anchors(page), u.Fragment) {
				t.Errorf("%s links to %s: no such heading", path, m[1])
			}
		}
	}
}

// anchors are the fragments by which the headings of a page are linked.
func anchors(page string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ +(.+)$`).FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		words := unlinked.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		all = append(all, strings.ReplaceAll(words, " ", "-"))
	}
	return all
}
