// Package peer is the plugin and the host of the interop tests, on the real Go library. It compiles against every
// version of the library: modules current and old differ in what they require, and hand in what only they know.
package peer
