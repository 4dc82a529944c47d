package local

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"
)

// The top-level buckets of the operations. Values are JSON; keys of several parts are joined by "/", numbers in keys are
// 16 hex digits so that they sort.
const (
	inActivations  = "ssm.activations"   // activation id
	inNodes        = "ssm.nodes"         // node id
	inPings        = "ssm.pings"         // node id / number
	inDocuments    = "ssm.documents"     // name
	inCommands     = "ssm.commands"      // command id
	inCommandTimes = "ssm.command-times" // inverted time of the request / command id
	inInvocations  = "ssm.invocations"   // command id / node id
	inReplies      = "ssm.replies"       // command id / node id / number
	inReplyIDs     = "ssm.reply-ids"     // reply id
	inDeadlines    = "ssm.deadlines"     // time / command id
	inMail         = "messages.mail"     // node id / number
	inMailIDs      = "messages.ids"      // message id → key of its letter
	inCancels      = "messages.cancels"  // message id of a cancel → message id of what it cancels
)

func recordBuckets() []string {
	return []string{inActivations, inNodes, inPings, inDocuments, inCommands, inCommandTimes, inInvocations, inReplies,
		inReplyIDs, inDeadlines, inMail, inMailIDs, inCancels}
}

// fetch reads one record; ok is false where there is none.
func fetch[T any](tx *bbolt.Tx, bucket, key string) (value T, ok bool, err error) {
	raw := tx.Bucket([]byte(bucket)).Get([]byte(key))
	if raw == nil {
		return value, false, nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, false, fmt.Errorf("cannot read %s of %s: %w", key, bucket, err)
	}
	return value, true, nil
}

// save writes one record, whole.
func save(tx *bbolt.Tx, bucket, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(bucket)).Put([]byte(key), raw)
}

// remove deletes one record; none is no error.
func remove(tx *bbolt.Tx, bucket, key string) error {
	return tx.Bucket([]byte(bucket)).Delete([]byte(key))
}

// number gives the next number of a bucket, as a part of a key.
func number(tx *bbolt.Tx, bucket string) (string, error) {
	n, err := tx.Bucket([]byte(bucket)).NextSequence()
	return fmt.Sprintf("%016x", n), err
}

// keysOf lists the keys that begin with prefix, in order.
func keysOf(tx *bbolt.Tx, bucket, prefix string) []string {
	var keys []string
	c := tx.Bucket([]byte(bucket)).Cursor()
	for k, _ := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, _ = c.Next() {
		keys = append(keys, string(k))
	}
	return keys
}

// each hands every record whose key begins with prefix to do, in the order of keys, until do says stop. It must not write.
func each[T any](tx *bbolt.Tx, bucket, prefix string, do func(key string, value T) (stop bool)) error {
	c := tx.Bucket([]byte(bucket)).Cursor()
	for k, raw := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, raw = c.Next() {
		var value T
		if err := json.Unmarshal(raw, &value); err != nil {
			return fmt.Errorf("cannot read %s of %s: %w", k, bucket, err)
		}
		if do(string(k), value) {
			return nil
		}
	}
	return nil
}

// sortable is a moment as a part of a key: earlier sorts first.
func sortable(unixNano int64) string {
	return fmt.Sprintf("%016x", uint64(unixNano))
}

// newestFirst is a moment as a part of a key: later sorts first.
func newestFirst(unixNano int64) string { return sortable(^unixNano & (1<<63 - 1)) }
