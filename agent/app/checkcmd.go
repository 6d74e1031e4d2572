package app

import (
	"github.com/spf13/cobra"
	"github.com/spf13/viper"
)

func checkCommand(v *viper.Viper) *cobra.Command {
	return &cobra.Command{Use: "check", Short: "Look at this computer: vitals, facts and the verdict of every check"}
}
