// Command deskside-console is the server where helpdesk staff see every machine.
package main

import (
	"os"

	"github.com/deskside/deskside/console/app"
)

func main() { os.Exit(app.Main(os.Args[1:])) }
