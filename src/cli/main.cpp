// The program: its commands and their options on one page. The only file that includes CLI11, which
// takes longer to compile than any of ours.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/catalog_command.h"
#include "cli/completion.h"
#include "cli/explain_command.h"
#include "cli/external_scaler_command.h"
#include "cli/install_command.h"
#include "cli/lint_command.h"
#include "cli/plan_disruption_command.h"
#include "cli/plan_nodes_command.h"
#include "cli/plan_replicas_command.h"
#include "cli/replay_command.h"
#include "cli/report_command.h"
#include "cli/run_command.h"
#include "cli/simulate_command.h"
#include "cli/up_command.h"

namespace windlass::cli {
namespace {

CLI::Option* add_output(CLI::App* command, std::string& output) {
  return command->add_option("-o,--output", output, "How to print")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
}

CLI::Option* add_files(CLI::App* command, std::vector<std::string>& files) {
  return command
      ->add_option("-f,--file", files,
                   "Manifests: files, directories, or - for standard input; repeatable")
      ->type_name("FILE...");
}

void add_catalog_file(CLI::App* command, std::string& catalog) {
  command
      ->add_option("--catalog", catalog,
                   "Instance types to buy from (JSON or YAML), in place of EC2's")
      ->type_name("FILE");
}

// Options live as long as the callback that reads them.
template <typename Options, typename Run>
void on_chosen(CLI::App* command, const std::shared_ptr<Options>& options, int& exit_code,
               const Run& run) {
  command->callback([options, &exit_code, run] { exit_code = run(*options); });
}

void add_simulate(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<SimulateOptions>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Replay traffic against manifests under several policies and compare them");
  command->add_option("scenario", options->scenario, "Scenario file (windlass.dev/v1alpha1)")
      ->required();
  command
      ->add_option("--policy", options->policies,
                   "Policy to run; may be given several times (default: the scenario's list)")
      ->type_name("static|stock|windlass");
  command->add_option("--seed", options->seed, "Takes the place of the scenario's seed");
  add_output(command, options->output);
  command->add_option("--report", options->report, "Write an HTML report to this file");
  command->add_option("--decisions", options->decisions,
                      "Write every decision to this file, a JSON line each");
  command->add_flag("-q,--quiet", options->quiet, "No progress on standard error");
  command->footer(
      "Exit codes: 0 done, 1 a run failed, 2 bad input, 130 stopped by Ctrl-C (the table so far\n"
      "is printed, marked partial).\n\n"
      "Example: windlass simulate examples/blog/scenario.yaml --report report.html");
  on_chosen(command, options, exit_code, run_simulate);
}

void add_replay_source(CLI::App* command, ReplayOptions& options) {
  command
      ->add_option("--prometheus", options.prometheus,
                   "Address of the Prometheus (or Thanos, Mimir, ...), with a path if it has one")
      ->required()
      ->type_name("URL");
  command->add_option("--last", options.last, "How much of the past: 7d, 36h, 1d12h")
      ->type_name("DURATION")
      ->capture_default_str();
  command->add_option("--until", options.until, "Up to this time: RFC 3339 (default: now)")
      ->type_name("TIME");
  command->add_option("--step", options.step, "A rate every so often")
      ->type_name("DURATION")
      ->capture_default_str();
  command->add_option("--header", options.headers, "Sent with every query; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--bearer-token-file", options.bearer_token_file,
                   "Sent as Authorization: Bearer")
      ->type_name("FILE");
  command->add_option("--ca-file", options.ca_file, "Trust these CAs (PEM), not the system's")
      ->type_name("FILE");
  command->add_flag("--insecure", options.insecure, "Don't verify the server's certificate");
  command
      ->add_option("--rate-query", options.rate_queries,
                   "The model's requests a second are this query's; repeatable")
      ->type_name("MODEL=PROMQL")
      ->allow_extra_args(false);
  command
      ->add_option("--tokens-in-query", options.input_queries,
                   "Its requests' mean input tokens; repeatable")
      ->type_name("MODEL=PROMQL")
      ->allow_extra_args(false);
  command
      ->add_option("--tokens-out-query", options.output_queries,
                   "Its requests' mean output tokens; repeatable")
      ->type_name("MODEL=PROMQL")
      ->allow_extra_args(false);
  command
      ->add_option("--cache", options.cache,
                   "Where answers are kept (default: ~/.cache/windlass/replay/HASH)")
      ->type_name("DIR");
}

void add_replay(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App* command = app.add_subcommand(
      "replay", "Run the traffic a Prometheus recorded against manifests under several policies");
  add_replay_source(command, *options);
  add_files(command, options->files);
  command
      ->add_option("--models", options->models,
                   "The models' Deployments, cards and latency targets: the section models of a "
                   "scenario (without it: which models were found)")
      ->type_name("FILE");
  command
      ->add_option("--policy", options->policies,
                   "Policy to run; may be given several times (default: all that can be)")
      ->type_name("static|stock|windlass")
      ->allow_extra_args(false);
  command->add_option("--seed", options->seed, "Of the requests' times and lengths");
  command
      ->add_option("--save-scenario", options->save_scenario,
                   "Keep scenario.yaml, traffic and manifests here, for windlass simulate")
      ->type_name("DIR");
  add_output(command, options->output);
  command->add_option("--report", options->report, "Write an HTML report to this file");
  command->add_option("--decisions", options->decisions,
                      "Write every decision to this file, a JSON line each");
  command->add_flag("-q,--quiet", options->quiet, "No progress on standard error");
  command->footer(
      "Exit codes: 0 done, 1 Prometheus or a run failed, 2 bad input, 130 stopped by Ctrl-C (what\n"
      "was read is kept: the same command goes on).\n\n"
      "Example: windlass replay --prometheus http://localhost:9090 --last 7d -f manifests/ \\\n"
      "           --models models.yaml --report report.html");
  on_chosen(command, options, exit_code, run_replay);
}

void add_up(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<UpOptions>();
  options->version = WINDLASS_VERSION;
  CLI::App* command = app.add_subcommand(
      "up",
      "Start an embedded cluster: a Kubernetes API, traffic and a dashboard to try things on");
  command->add_option("scenario", options->scenario,
                      "Scenario file (windlass.dev/v1alpha1); may be left out with --external");
  CLI::Option* policy =
      command->add_option("--policy", options->policy, "Who scales pods and nodes")
          ->check(CLI::IsMember({"static", "stock", "windlass"}))
          ->capture_default_str();
  command
      ->add_flag("--external", options->external,
                 "Nodes, their kubelets and all autoscaling are clients of the API: a bare cluster "
                 "to run `windlass run` or another autoscaler against")
      ->excludes(policy);
  command
      ->add_option("--speed", options->speed,
                   "Simulated seconds a second (0.1 to 100000); the dashboard changes it live")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--listen", options->listen,
                   "Address of the Kubernetes API; the dashboard listens on the same host. Other "
                   "than loopback, both are TLS (default: 127.0.0.1:6443, or a free port)")
      ->type_name("HOST[:PORT]");
  command
      ->add_option("--dashboard-port", options->dashboard_port,
                   "Port of the dashboard and metrics (default: 8080, or a free one)")
      ->type_name("PORT");
  command
      ->add_option("--data-dir", options->data_dir,
                   "Where the cluster is kept (default: ~/.local/state/windlass/SCENARIO)")
      ->type_name("DIR");
  command->add_flag("--plain-http", options->plain_http, "The API without TLS; loopback only");
  command->add_flag("--no-traffic", options->no_traffic, "No requests to the scenario's models");
  command
      ->add_option("--until", options->until,
                   "Stop at this simulated time: RFC 3339, or a duration from its start like 4h")
      ->type_name("TIME");
  command->footer(
      "Exit codes: 0 stopped (Ctrl-C, --until), 1 it can't go on, 2 bad input.\n\n"
      "Example: windlass up examples/blog/scenario.yaml --speed 60");
  on_chosen(command, options, exit_code, run_up);
}

void add_run(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<RunOptions>();
  options->version = WINDLASS_VERSION;
  CLI::App* command = app.add_subcommand(
      "run", "Run a real cluster: watch its API server, scale its workloads, drive its nodes");
  const auto text = [&](const char* flag, const char* variable, std::string& value,
                        const char* what, const char* type) {
    return command->add_option(flag, value, what)->envname(variable)->type_name(type);
  };
  text("--config", "WINDLASS_CONFIG", options->config,
       "Configuration (kind Config of windlass.dev/v1alpha1): models, prices, and all of these",
       "FILE");
  text("--kubeconfig", "WINDLASS_KUBECONFIG", options->kubeconfig,
       "Whom to talk to (default: $KUBECONFIG, the pod's service account, ~/.kube/config)", "FILE");
  text("--context", "WINDLASS_CONTEXT", options->context, "Context of the kubeconfig", "NAME");
  text("--cloud", "WINDLASS_CLOUD", options->cloud,
       "Where nodes come from: simulated (Node objects without machines; default) or aws",
       "simulated|aws");
  command
      ->add_option("--namespace", options->namespaces,
                   "Scaled objects of this namespace only; repeatable (default: all)")
      ->envname("WINDLASS_NAMESPACE")
      ->delimiter(',')
      ->type_name("NAME");
  text("--policy", "WINDLASS_POLICY", options->policy,
       "Who decides: windlass (default), or stock, as KEDA, HPA and Karpenter do",
       "stock|windlass");
  command
      ->add_flag("--observe,!--no-observe", options->observe,
                 "Change nothing: decide beside what is running and report what it would save")
      ->envname("WINDLASS_OBSERVE");
  text("--decisions", "WINDLASS_DECISIONS", options->decisions,
       "Write every decision there, a JSON line each; - for standard output", "FILE");
  text("--listen", "WINDLASS_LISTEN", options->listen,
       "Address of /healthz, /readyz and /metrics; none: no listener (default: 0.0.0.0:8080)",
       "HOST:PORT");
  command
      ->add_flag("--leader-election,!--no-leader-election", options->leader_election,
                 "Act only while holding the Lease (default: yes)")
      ->envname("WINDLASS_LEADER_ELECTION");
  text("--lease-namespace", "WINDLASS_LEASE_NAMESPACE", options->lease_namespace,
       "Namespace of the Lease (default: of the pod or context)", "NAME");
  command
      ->add_option("--requests-per-second", options->requests_per_s,
                   "At most so many requests to the API server (default: 200)")
      ->envname("WINDLASS_REQUESTS_PER_SECOND")
      ->type_name("N");
  text("--log-level", "WINDLASS_LOG_LEVEL", options->log_level, "How much to say (default: info)",
       "debug|info|warning|error");
  command->footer(
      "Flags come before the environment, the environment before the configuration.\n"
      "Exit codes: 0 stopped by a signal, 1 it can't go on, 2 bad input.\n\n"
      "Example: windlass run --observe --decisions decisions.jsonl");
  on_chosen(command, options, exit_code, run_run);
}

void add_install(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<InstallOptions>();
  options->version = WINDLASS_VERSION;
  CLI::App* command = app.add_subcommand(
      "install", "Print what Windlass needs on a cluster, for kubectl apply -f -");
  command->add_option("-o,--output", options->output, "How to print")
      ->check(CLI::IsMember({"yaml", "json"}))
      ->capture_default_str();
  command->add_option("-n,--namespace", options->namespace_name, "Where Windlass runs")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--image", options->image, "Its image (default: windlass:" WINDLASS_VERSION ")")
      ->type_name("IMAGE");
  command->add_option("--replicas", options->replicas, "One leads, the others stand by")
      ->capture_default_str();
  command->add_option("--cloud", options->cloud, "Where nodes come from (aws: not driven yet)")
      ->check(CLI::IsMember({"simulated", "aws"}))
      ->capture_default_str();
  command->add_flag("--observe", options->observe, "Decide and say so, but have no right to act");
  command->add_flag("--take-over", options->take_over,
                    "The right to take targets over from HPAs, where an object is annotated "
                    "windlass.dev/take-over=true");
  command
      ->add_option("--config", options->config,
                   "Configuration of windlass run: models, prices; becomes a ConfigMap")
      ->type_name("FILE");
  command->add_flag("--without-crds", options->without_crds,
                    "Leave out Karpenter's and KEDA's kinds");
  command->add_flag("--only-crds", options->only_crds, "Print nothing else");
  command->add_flag("--service-monitor", options->service_monitor,
                    "Include a ServiceMonitor even if the cluster wasn't asked for its kind");
  command->add_flag("--offline", options->offline, "Ask no cluster: print all CRDs");
  command
      ->add_option("--kubeconfig", options->kubeconfig,
                   "The cluster to be asked which CRDs it has (default: kubectl's)")
      ->type_name("FILE");
  command->add_option("--context", options->context, "Its context in the kubeconfig")
      ->type_name("NAME");
  command->footer(
      "CRDs that the cluster has are left out, so that Karpenter's and KEDA's own stay as they "
      "are.\n"
      "Exit codes: 0 printed, 1 the cluster can't be asked, 2 bad input.\n\n"
      "Example: windlass install | kubectl apply -f -");
  on_chosen(command, options, exit_code, run_install);
}

void add_external_scaler(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ExternalScalerOptions>();
  CLI::App* command = app.add_subcommand(
      "external-scaler", "Serve an existing KEDA: triggers of type external, by the demand model");
  command->add_option("--listen", options->listen, "Address to serve gRPC on, or none")
      ->type_name("[HOST]:PORT")
      ->capture_default_str();
  command
      ->add_option("--tls-cert", options->certificate,
                   "Certificate (PEM); without it no TLS for gRPC, and a self-made one for metrics")
      ->type_name("FILE");
  command->add_option("--tls-key", options->key, "Its key (PEM)")->type_name("FILE");
  command
      ->add_option("--client-ca", options->client_ca, "Clients must have a certificate of this CA")
      ->type_name("FILE");
  command
      ->add_option("--external-metrics", options->external_metrics,
                   "Serve external.metrics.k8s.io to the API server here, for HPAs without KEDA")
      ->type_name("[HOST]:PORT");
  command->add_option("--metrics", options->metrics, "The metrics served there")->type_name("FILE");
  command
      ->add_option("--requestheader-ca", options->requestheader_ca,
                   "CA of the API server's front proxy (PEM), the only one answered")
      ->type_name("FILE");
  command
      ->add_option("--requestheader-name", options->requestheader_names,
                   "A front proxy's name (CN; * for any); repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->capture_default_str();
  command->footer(
      "What a trigger's metadata and the metrics' file say: docs/reference/external-scaler.md.\n"
      "Exit codes: 0 stopped (Ctrl-C, SIGTERM), 1 it can't listen, 2 bad input.\n\n"
      "Examples:\n"
      "  windlass external-scaler --listen :9090\n"
      "  windlass external-scaler --listen none --external-metrics :6443 --metrics metrics.yaml "
      "\\\n"
      "           --requestheader-ca front-proxy-ca.crt");
  on_chosen(command, options, exit_code, run_external_scaler);
}

struct CatalogOptions {
  CatalogQuery query;
  std::string output = "table";
};

void add_catalog(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<CatalogOptions>();
  CLI::App* command = app.add_subcommand(
      "catalog", "List the instance types and prices that Windlass knows (EC2, us-east-1, Linux)");
  command->add_option("--gpu", options->query.gpu, "Only types with this GPU, such as l4 or h100")
      ->type_name("NAME");
  command
      ->add_option("-r,--requirement", options->query.requirements,
                   "Only types that a NodePool with this requirement would admit; repeatable. OP "
                   "is In, NotIn, Exists, DoesNotExist, Gt, Lt, Gte or Lte")
      ->type_name("KEY=OP:VALUE,...")
      ->allow_extra_args(false);
  command
      ->add_option("--capacity-type", options->query.capacity_type,
                   "Only types sold so; prices that are sorted by are of this kind")
      ->check(CLI::IsMember({"spot", "on-demand"}));
  command->add_option("--sort", options->query.sort, "Ascending; types without the figure last")
      ->check(CLI::IsMember({"name", "usd-per-hour", "usd-per-gpu-hour", "gpus", "vcpu", "memory"}))
      ->capture_default_str();
  add_output(command, options->output);
  command->footer(R"(Examples:
  windlass catalog --gpu l4 --sort usd-per-hour
  windlass catalog --requirement karpenter.k8s.aws/instance-gpu-count=Gt:0 \
                   --requirement karpenter.k8s.aws/instance-gpu-manufacturer=In:nvidia \
                   --capacity-type spot --sort usd-per-gpu-hour
  windlass catalog --requirement kubernetes.io/arch=In:arm64 \
                   --requirement karpenter.k8s.aws/instance-local-nvme=Exists -o json)");
  on_chosen(command, options, exit_code, [](const CatalogOptions& chosen) {
    return run_catalog(chosen.query, chosen.output == "json");
  });
}

void add_plan_disruption(CLI::App& plan, int& exit_code) {
  const auto options = std::make_shared<PlanDisruptionOptions>();
  CLI::App* command = plan.add_subcommand(
      "disruption", "Which nodes would be emptied or replaced, in order, and why the others stay");
  add_files(command, options->files)->required();
  add_catalog_file(command, options->catalog);
  command
      ->add_option("--objective", options->objective,
                   "stock: Karpenter's rules; cost: any cheaper set of nodes")
      ->check(CLI::IsMember({"stock", "cost"}))
      ->capture_default_str();
  command->add_flag("--spot-to-spot", options->spot_to_spot,
                    "Spot nodes may be replaced by spot nodes, as with Karpenter's gate "
                    "SpotToSpotConsolidation");
  command->add_option("--now", options->now, "The moment to plan for (RFC 3339); default: now")
      ->type_name("TIME");
  add_output(command, options->output);
  command->footer(
      "Commands are listed in the order in which they would be found, each with those before it\n"
      "carried out, as far as the budgets of this moment reach.\n\n"
      "Example: windlass plan disruption -f examples/plan/disruption.yaml "
      "--now 2026-03-01T12:00:00Z");
  on_chosen(command, options, exit_code, run_plan_disruption);
}

void add_plan_replicas(CLI::App& plan, int& exit_code) {
  const auto options = std::make_shared<PlanReplicasOptions>();
  CLI::App* command = plan.add_subcommand(
      "replicas", "What a ScaledObject, ScaledJob or HorizontalPodAutoscaler does with readings");
  add_files(command, options->files);
  command->add_option("--readings", options->readings, "What the triggers' sources say, by step");
  command->add_option("--vectors", options->vectors,
                      "Replay recorded sequences of an HPA instead (JSON)");
  add_output(command, options->output);
  command->footer(
      "Exit codes: 0 done, 2 bad input.\n\n"
      "Example: windlass plan replicas -f examples/plan/scaledobject.yaml \\\n"
      "           --readings examples/plan/readings.yaml");
  on_chosen(command, options, exit_code, run_plan_replicas);
}

void add_lint(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<LintOptions>();
  CLI::App* command =
      app.add_subcommand("lint", "Say what manifests will really do, before they are applied");
  command
      ->add_option("files", options->paths,
                   "Manifests; a directory stands for the *.yaml, *.yml and *.json in it, - for "
                   "standard input")
      ->required();
  add_catalog_file(command, options->catalog);
  add_output(command, options->output);
  command->footer(
      "Exit codes: 0 nothing of severity error, 1 errors, 2 a file can't be read.\n"
      "Every rule stands in docs/lint.md.\n\n"
      "Example: windlass lint examples/blog/manifests");
  on_chosen(command, options, exit_code, run_lint);
}

void add_explain(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand("explain", "Why a decision was made, in sentences");
  command
      ->add_option("decisions", options->file,
                   "What windlass simulate --decisions FILE wrote; - for standard input")
      ->required();
  Question& question = options->question;
  auto* pod = command->add_option("--pod", question.pod, "A pod's way from wanted to placed");
  auto* node = command->add_option("--node", question.node, "All about a node or its claim");
  auto* object = command->add_option("--object", question.object,
                                     "All about an object, like ScaledObject/ns/name or name");
  for (CLI::Option* option : {pod, node, object}) option->type_name("NAME");
  pod->excludes(node)->excludes(object);
  node->excludes(object);
  command
      ->add_option("--at", options->at,
                   "Only the last decisions at or before this time: RFC 3339, or an offset from "
                   "the first decision like 25m")
      ->type_name("TIME");
  command->add_option("--policy", question.policy, "Of this policy's run alone")
      ->type_name("static|stock|windlass");
  add_output(command, options->output);
  command->footer(
      "Exit codes: 0 answered, 1 nothing answers, 2 the file or a flag can't be read.\n\n"
      "Example: windlass explain decisions.jsonl --pod vllm-inference-x2b4c --policy stock");
  on_chosen(command, options, exit_code, run_explain);
}

void add_report(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand(
      "report", "What a run decided, and what it would have saved: windlass run --observe");
  command
      ->add_option("decisions", options->file,
                   "What windlass run --decisions FILE wrote; - for standard input")
      ->required();
  add_output(command, options->output);
  command->footer(
      "Exit codes: 0 printed, 2 the file can't be read or holds no decisions.\n\n"
      "Example: windlass report decisions.jsonl");
  on_chosen(command, options, exit_code, run_report);
}

void add_plan_nodes(CLI::App& plan, int& exit_code) {
  const auto options = std::make_shared<PlanNodesOptions>();
  CLI::App* command = plan.add_subcommand(
      "nodes", "Where pending pods would go, and which nodes would be bought for them");
  add_files(command, options->files)->required();
  add_catalog_file(command, options->catalog);
  command
      ->add_option("--objective", options->objective,
                   "stock: Karpenter's rules; cost: the cheapest set of nodes")
      ->check(CLI::IsMember({"stock", "cost"}))
      ->capture_default_str();
  add_output(command, options->output);
  command->footer(
      "Exit codes: 0 all pods are placed, 1 some are not, 2 bad input.\n\n"
      "Example: windlass plan nodes -f examples/plan/nodes.yaml --objective cost");
  on_chosen(command, options, exit_code, run_plan_nodes);
}

// The choices of an option stand in its type name: "{table,json}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}');
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos) return choices;
  std::string word;
  for (size_t i = open + 1; i <= close; ++i) {
    if (type[i] != ',' && type[i] != '}') {
      word += type[i];
    } else if (!word.empty()) {
      choices.push_back(std::exchange(word, ""));
    }
  }
  return choices;
}

CommandShape shape_of(const CLI::App& command) {
  CommandShape shape;
  shape.name = command.get_name();
  for (const CLI::Option* option : command.get_options()) {
    OptionShape out;
    for (const std::string& name : option->get_snames()) out.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) out.names.push_back("--" + name);
    if (out.names.empty()) continue;  // positional
    out.takes_value = option->get_items_expected_max() > 0;
    out.choices = choices_of(*option);
    shape.options.push_back(std::move(out));
  }
  for (const CLI::App* below : command.get_subcommands({})) {
    shape.commands.push_back(shape_of(*below));
  }
  return shape;
}

void add_completion(CLI::App& app, int& exit_code) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("shell", *shell, "bash, zsh or fish")->required()->type_name("SHELL");
  command->footer("Example: source <(windlass completion bash)");
  on_chosen(command, shell, exit_code, [&app](const std::string& name) {
    const auto script = completion_script(shape_of(app), name);
    if (!script.ok()) {
      fmt::print(stderr, "error: {}\n", script.error().message());
      return 2;
    }
    fmt::print("{}", *script);
    return 0;
  });
}

}  // namespace
}  // namespace windlass::cli

int main(int argc, char** argv) {
  CLI::App app(
      "Windlass: GPU-aware autoscaling for Kubernetes, nodes and pods as one decision.\n"
      "Replay your traffic against your manifests before anything is applied.");
  app.name("windlass");
  app.set_version_flag("--version", "windlass " WINDLASS_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  windlass::cli::add_simulate(app, exit_code);
  windlass::cli::add_replay(app, exit_code);
  windlass::cli::add_up(app, exit_code);
  windlass::cli::add_run(app, exit_code);
  windlass::cli::add_install(app, exit_code);
  windlass::cli::add_external_scaler(app, exit_code);
  windlass::cli::add_catalog(app, exit_code);
  windlass::cli::add_lint(app, exit_code);
  CLI::App* plan = app.add_subcommand("plan", "Ask one question about a cluster in manifests");
  plan->require_subcommand(1);
  windlass::cli::add_plan_nodes(*plan, exit_code);
  windlass::cli::add_plan_replicas(*plan, exit_code);
  windlass::cli::add_plan_disruption(*plan, exit_code);
  windlass::cli::add_explain(app, exit_code);
  windlass::cli::add_report(app, exit_code);
  windlass::cli::add_completion(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11's own codes run above 100; a wrong command line is bad input like any other.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}
