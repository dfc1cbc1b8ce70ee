package main
import "github.com/urfave/cli/v2"
func doctorCommand(a *app) *cli.Command { return &cli.Command{Name: "doctor", Usage:"x", Description: examples("x")} }
