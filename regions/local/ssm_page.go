package local

import (
	"encoding/base64"
	"strings"
)

// paging cuts a list into pages. The token of the next page is opaque to callers; it holds the key of the last item given
// out, so that items coming and going in between disturb nothing.
type paging struct {
	MaxResults *int
	NextToken  string
}

const tokenMark = "v1:"

// after is the key behind which this page begins, "" for the first.
func (p paging) after() (string, error) {
	if p.NextToken == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.NextToken)
	key, ok := strings.CutPrefix(string(raw), tokenMark)
	if err != nil || !ok {
		return "", refuse("InvalidNextToken", "The specified token isn't valid.")
	}
	return key, nil
}

func nextToken(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenMark + key))
}

// cut gives the items of this page out of all, which are sorted by key, and the token of the next one ("" at the end).
func cut[T any](p paging, all []T, most int, key func(T) string) (items []T, next string, err error) {
	after, err := p.after()
	if err != nil {
		return nil, "", err
	}
	if p.MaxResults != nil {
		most = *p.MaxResults
	}
	items = []T{}
	for _, item := range all {
		if after != "" && key(item) <= after {
			continue
		}
		if len(items) == most {
			return items, nextToken(key(items[most-1])), nil
		}
		items = append(items, item)
	}
	return items, "", nil
}
