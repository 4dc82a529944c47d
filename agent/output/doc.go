// Package output keeps what actions write.
package output
