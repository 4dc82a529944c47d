package survey

import (
	"bytes"
	"html/template"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// matrix is a page with one row for each region and one column for each version, the newest first.
type matrix struct {
	Asked    string
	Newest   string
	Versions []string
	Rows     []matrixRow
	Lagging  int
	Unread   int
}

type matrixRow struct {
	Row
	Cells []string // by version: latest, stable, latest and stable, or ""
}

// HTML is a page that needs nothing beside itself: regions × versions, and who lags behind. at is when the regions were asked.
func (a Answer) HTML(at time.Time) ([]byte, error) {
	m := matrix{Asked: at.UTC().Format(time.RFC3339), Unread: a.Unreadable}
	if !a.Newest.IsZero() {
		m.Newest = a.Newest.String()
	}
	for _, r := range a.Rows {
		for _, v := range []string{r.Latest, r.Stable} {
			if v != "" && !slices.Contains(m.Versions, v) {
				m.Versions = append(m.Versions, v)
			}
		}
	}
	slices.SortFunc(m.Versions, func(v, w string) int { return order(w).Compare(order(v)) })
	for _, r := range a.Rows {
		row := matrixRow{Row: r}
		if r.Behind != "" {
			m.Lagging++
		}
		for _, v := range m.Versions {
			cell := ""
			switch {
			case v == r.Latest && v == r.Stable:
				cell = "latest and stable"
			case v == r.Latest:
				cell = "latest"
			case v == r.Stable:
				cell = "stable"
			}
			row.Cells = append(row.Cells, cell)
		}
		m.Rows = append(m.Rows, row)
	}
	page, err := template.New("matrix").Parse(matrixPage)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, m)
	return b.Bytes(), err
}

// order is a version to sort by; what is none is older than all.
func order(text string) manifests.Version {
	v, err := manifests.ParseVersion(text)
	if err != nil {
		return manifests.Version{}
	}
	return v
}

const matrixPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Regions and versions</title>
<style>
:root { color-scheme: light dark; --line: light-dark(#dcdfe3, #343a41); --good: light-dark(#17663a, #6fd39a); --bad: light-dark(#a31515, #ff9b93) }
body { font: 16px/1.45 system-ui, sans-serif; margin: 1rem auto; max-width: 76rem; padding: 0 1rem }
div { overflow-x: auto } table { border-collapse: collapse } th, td { border: 1px solid var(--line); padding: .35rem .6rem; text-align: left }
thead th, tbody th { white-space: nowrap } .good { color: var(--good) } .bad { color: var(--bad) }
</style></head><body>
<h1>Regions and versions</h1>
<p>Asked at {{.Asked}}. Newest: {{with .Newest}}{{.}}{{else}}none{{end}}. {{len .Rows}} regions, {{.Lagging}} behind, {{.Unread}} unreadable.</p>
<div><table><thead><tr><th scope="col">Region</th>{{range .Versions}}<th scope="col">{{.}}</th>{{end}}<th scope="col">Lag</th></tr></thead><tbody>
{{range .Rows}}<tr><th scope="row">{{.Region}}</th>{{range .Cells}}<td>{{.}}</td>{{end}}
<td class="{{if or .Behind .Error}}bad{{else}}good{{end}}">{{if .Error}}unreadable: {{.Error}}{{else if .Behind}}{{.Lag}}{{else}}up to date{{end}}</td></tr>
{{end}}</tbody></table></div></body></html>
`
