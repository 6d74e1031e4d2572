package app

import (
	"fmt"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
)

// helpCommand opens the help page as whoever types it. It is a command of its
// own and not cobra's help, because that is what a person in need types first.
func helpCommand(v *viper.Viper) *cobra.Command {
	c := &cobra.Command{Use: "help", Short: "Ask for help: opens the help page of this computer in the browser", RunE: func(cmd *cobra.Command, _ []string) error {
		url, err := AskForHelp(cmd.Context(), v.GetString("state"))
		if err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), url)
		if v.GetBool("print") {
			return nil
		}
		if err := browse(url); err != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "No browser could be opened; open the address above within ten minutes.")
		}
		return nil
	}}
	c.Flags().Bool("print", false, "print the address and open nothing")
	return c
}

// browse opens an address in the person's own browser.
func browse(url string) error {
	switch runtime.GOOS {
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", url).Start()
	case "darwin":
		return exec.Command("/usr/bin/open", url).Start()
	}
	return exec.Command("xdg-open", url).Start()
}
