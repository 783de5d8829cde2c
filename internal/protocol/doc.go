// Package protocol stands between the plugin protocol and
// terraform-plugin-framework, for what the framework gets wrong (server.go), and
// for what it makes dear (steady.go).
package protocol
