package console

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// parameter is one field of the form that sends a command.
type parameter struct {
	Name        string
	Type        string
	Description string
	Required    bool
	List        bool     // one value a line
	Allowed     []string // the only values, where they are limited
	Pattern     string
	Value       string // what stands in the field
}

// sendView is the form that sends a command.
type sendView struct {
	Documents   []string
	Document    string
	Description string
	Parameters  []parameter
	Hosts       []sendHost
	Tag         string // key=value
	Comment     string
	Concurrency string
	Errors      string
}

type sendHost struct {
	local.Instance
	Chosen bool
}

func (c *Console) sendPage(r *request) (any, error) {
	v := &sendView{Document: r.form.Get("document"), Tag: r.form.Get("tag"), Comment: r.form.Get("comment"),
		Concurrency: r.form.Get("concurrency"), Errors: r.form.Get("errors")}
	all, err := c.documents(r)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.DocumentType == "Command" {
			v.Documents = append(v.Documents, d.Name)
		}
	}
	if v.Document == "" && len(v.Documents) > 0 {
		v.Document = v.Documents[max(0, slices.Index(v.Documents, "AWS-RunShellScript"))]
	}
	for _, i := range c.region.Instances() {
		v.Hosts = append(v.Hosts, sendHost{i, slices.Contains(r.form["host"], i.InstanceID)})
	}
	return v, c.fillParameters(r, v)
}

// fillParameters makes the fields out of what the document declares. Values that were given stay.
func (c *Console) fillParameters(r *request, v *sendView) error {
	var told struct {
		Document struct {
			Description string
			Parameters  []struct {
				Name, Type, Description string
				DefaultValue            *string
			}
		}
	}
	if err := c.region.Ask(r.ctx, "DescribeDocument", map[string]any{"Name": v.Document}, &told); err != nil {
		return err
	}
	var text struct{ Content string }
	if err := c.region.Ask(r.ctx, "GetDocument", map[string]any{"Name": v.Document, "DocumentFormat": "JSON"}, &text); err != nil {
		return err
	}
	var content struct {
		Parameters map[string]struct {
			Default        any
			AllowedValues  []string
			AllowedPattern string
		}
	}
	if err := json.Unmarshal([]byte(text.Content), &content); err != nil {
		return err
	}
	v.Description = told.Document.Description
	for _, p := range told.Document.Parameters {
		more := content.Parameters[p.Name]
		f := parameter{Name: p.Name, Type: p.Type, Description: p.Description, Required: p.DefaultValue == nil,
			List: p.Type == "StringList" || p.Type == "MapList", Allowed: more.AllowedValues, Pattern: more.AllowedPattern}
		if p.Type == "Boolean" {
			f.Allowed = []string{"true", "false"}
		}
		f.Value = defaultText(p.DefaultValue, more.Default)
		if values, ok := r.form["p."+p.Name]; ok {
			f.Value = values[0]
		}
		v.Parameters = append(v.Parameters, f)
	}
	return nil
}

// defaultText is a default as it stands in a field: lists have one item a line.
func defaultText(text *string, value any) string {
	list, ok := value.([]any)
	if !ok {
		if text == nil {
			return ""
		}
		return *text
	}
	var lines []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			lines = append(lines, s)
		} else if raw, err := json.Marshal(item); err == nil {
			lines = append(lines, string(raw))
		}
	}
	return strings.Join(lines, "\n")
}

// sendCommand sends what the form says, as SendCommand takes it.
func (c *Console) sendCommand(r *request) (string, any, error) {
	shown, err := c.sendPage(r)
	if err != nil {
		return "", shown, err
	}
	v := shown.(*sendView)
	in := map[string]any{"DocumentName": v.Document, "Comment": v.Comment}
	parameters := map[string][]string{}
	for _, p := range v.Parameters {
		value := strings.ReplaceAll(p.Value, "\r\n", "\n")
		switch {
		case p.List && strings.TrimSpace(value) != "":
			parameters[p.Name] = strings.Split(strings.TrimRight(value, "\n"), "\n")
		case !p.List && (value != "" || p.Required):
			parameters[p.Name] = []string{value}
		}
	}
	in["Parameters"] = parameters
	if v.Concurrency != "" {
		in["MaxConcurrency"] = v.Concurrency
	}
	if v.Errors != "" {
		in["MaxErrors"] = v.Errors
	}
	if key, value, tagged := strings.Cut(v.Tag, "="); tagged {
		in["Targets"] = []any{map[string]any{"Key": "tag:" + key, "Values": []string{value}}}
	}
	if hosts := r.form["host"]; len(hosts) > 0 {
		in["Targets"] = []any{map[string]any{"Key": "InstanceIds", "Values": hosts}}
	}
	var out struct{ Command struct{ CommandId string } }
	if err := c.region.Ask(r.ctx, "SendCommand", in, &out); err != nil {
		return "", v, err
	}
	return "command/" + out.Command.CommandId, nil, nil
}
