package protocol

import (
	"encoding/base64"
	"strings"
)

// Paging is the part of a request that cuts a list into pages. The token of the next page is opaque to callers; it holds the key
// of the last item given out, so that items coming and going in between disturb nothing.
type Paging struct {
	MaxResults *int
	NextToken  string
}

const tokenMark = "v1:"

// after is the key behind which this page begins, "" for the first.
func (p Paging) after() (string, error) {
	if p.NextToken == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.NextToken)
	key, ok := strings.CutPrefix(string(raw), tokenMark)
	if err != nil || !ok {
		return "", Refuse("InvalidNextToken", "The specified token isn't valid.")
	}
	return key, nil
}

func nextToken(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenMark + key))
}

// Keyed is an item of a list with the key the list is sorted and paged by.
type Keyed[T any] struct {
	Key  string
	Item T
}

// Cut gives the items of this page out of all, which are sorted by key, and the token of the next one ("" at the end).
func Cut[T any](p Paging, all []T, most int, key func(T) string) (items []T, next string, err error) {
	keyed := make([]Keyed[T], len(all))
	for i, item := range all {
		keyed[i] = Keyed[T]{key(item), item}
	}
	return CutKeyed(p, keyed, most)
}

// CutKeyed is [Cut] of items that do not hold their keys.
func CutKeyed[T any](p Paging, all []Keyed[T], most int) (items []T, next string, err error) {
	after, err := p.after()
	if err != nil {
		return nil, "", err
	}
	if p.MaxResults != nil {
		most = *p.MaxResults
	}
	items = []T{}
	last := ""
	for _, k := range all {
		if after != "" && k.Key <= after {
			continue
		}
		if len(items) == most {
			return items, nextToken(last), nil
		}
		items, last = append(items, k.Item), k.Key
	}
	return items, "", nil
}
