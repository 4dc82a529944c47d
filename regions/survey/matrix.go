package survey

import (
	"bytes"
	"embed"
	"html/template"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

//go:embed matrix.html
var matrixFile embed.FS

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
	page, err := template.ParseFS(matrixFile, "matrix.html")
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
