// Command deskside-agent is the light service on every workstation.
package main

import (
	"os"

	"github.com/deskside/deskside/agent/app"
)

func main() { os.Exit(app.Main(os.Args[1:])) }
