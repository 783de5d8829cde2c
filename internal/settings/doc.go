// Package settings is what a configured provider hands to its resources.
package settings
