// The program: its subcommands and nothing else.
#include <CLI/CLI.hpp>

#include "cli/catalog_command.h"
#include "cli/explain_command.h"
#include "cli/lint_command.h"
#include "cli/simulate_command.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Windlass: GPU-aware autoscaling for Kubernetes, nodes and pods as one decision.\n"
      "Replay your traffic against your manifests before anything is applied.");
  app.name("windlass");
  app.set_version_flag("--version", "windlass " WINDLASS_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  windlass::cli::add_simulate_command(app, exit_code);
  windlass::cli::add_catalog_command(app, exit_code);
  windlass::cli::add_lint_command(app, exit_code);
  windlass::cli::add_explain_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11's own codes run above 100; a wrong command line is bad input like any other.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}
