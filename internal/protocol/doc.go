// Package protocol stands between the plugin protocol and
// terraform-plugin-framework, for what the framework gets wrong.
package protocol
