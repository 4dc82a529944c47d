//go:build integration

package pack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parses runs a parser with PowerShell's grammar over files and prints what it cannot read.
const parses = `
const [dir, ...files] = process.argv.slice(2), fs = require('fs'), parser = require(dir + '/tree-sitter.js');
(async () => {
  await parser.Parser.init({locateFile: name => dir + '/' + name});
  const p = new parser.Parser();
  p.setLanguage(await parser.Language.load(dir + '/tree-sitter-powershell.wasm'));
  const visit = (file, n) => {
    if (n.isError || n.isMissing) console.log(file + ':' + (n.startPosition.row + 1) + ': cannot be read: ' + n.text);
    for (let i = 0; i < n.childCount; i++) visit(file, n.child(i));
  };
  for (const file of files) visit(file, p.parse(fs.readFileSync(file, 'utf8')).rootNode);
})();
`

// readers is a folder with programs of npm that read what packages hold: those of the lock file, whose hashes npm checks. None of their
// own scripts runs.
func readers(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/readers")); err != nil {
		t.Fatal(err)
	}
	tool(t, "npm", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir)
	return dir
}

// PowerShell itself cannot be had here; a parser of its language can.
func TestAParserAcceptsThePowerShellScripts(t *testing.T) {
	dir := readers(t)
	grammar := filepath.Join(dir, "node_modules", "@vscode", "tree-sitter-wasm", "wasm")
	program := filepath.Join(dir, "parses.js")
	if err := os.WriteFile(program, []byte(parses), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := tempFile(t, []byte("if ($x { 1 }\n"))
	said := tool(t, "nodejs", "node", "--no-wasm-tier-up", program, grammar, bad, "assets/update/windows/install.ps1",
		"assets/update/windows/uninstall.ps1")
	if !strings.HasPrefix(said, bad+":1: cannot be read") || strings.Contains(said, "install.ps1") {
		t.Errorf("the parser says %q", said)
	}
}
