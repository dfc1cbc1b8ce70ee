package config

import "strconv"

// Kind is the layer that a value comes from.
type Kind string

// The layers, in the order in which a later one wins.
const (
	Default     Kind = ""
	System      Kind = "system"
	User        Kind = "user"
	Project     Kind = "project"
	Environment Kind = "environment"
	Flag        Kind = "flag"
)

// Origin is where a value comes from. The zero Origin is what is built in.
type Origin struct {
	Kind Kind
	File string // of a layer of files
	Line int    // from 1; 0: not known
	Name string // the variable, or the flag
}

// String is "default", "FILE:LINE", "environment NAME" or "flag NAME".
func (o Origin) String() string {
	switch o.Kind {
	case Default:
		return "default"
	case Environment, Flag:
		return string(o.Kind) + " " + o.Name
	}
	if o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// Value is one setting, as `config show` tells of it.
type Value struct {
	Key    string // dotted
	Value  string
	Origin Origin
	Locked bool // by the system configuration
}
