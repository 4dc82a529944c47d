// Package plugins holds the actions a document's steps may name.
package plugins
