#!/usr/bin/env python3
"""The official Python client (Debian: python3-kubernetes) against the embedded cluster."""
import pathlib
import sys

from cluster import Cluster, ROOT, skip

try:
    from kubernetes import client, config, watch
    from kubernetes.client.rest import ApiException
except ImportError:
    skip("the Python package kubernetes is not installed (Debian: python3-kubernetes)")


def expect(what, truth):
    print(("ok      " if truth else "FAILED  ") + what)
    return bool(truth)


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    fine = True
    with Cluster(windlass, ROOT / "tests/scenarios/kubectl.yaml", "--speed", "20") as cluster:
        config.load_kube_config(cluster.kubeconfig)
        core, apps, custom = client.CoreV1Api(), client.AppsV1Api(), client.CustomObjectsApi()
        fine &= expect("version", client.VersionApi().get_code().git_version.startswith("v1."))
        nodes = core.list_node()
        fine &= expect("nodes are listed", len(nodes.items) >= 3)
        fine &= expect("a node's capacity is read", nodes.items[0].status.capacity["cpu"])
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="py")))
        labels = {"app": "py"}
        pod = client.V1PodTemplateSpec(
            metadata=client.V1ObjectMeta(labels=labels),
            spec=client.V1PodSpec(containers=[client.V1Container(name="app", image="nginx")]))
        apps.create_namespaced_deployment("py", client.V1Deployment(
            metadata=client.V1ObjectMeta(name="py"),
            spec=client.V1DeploymentSpec(
                replicas=2, selector=client.V1LabelSelector(match_labels=labels), template=pod)))
        version = core.list_namespaced_pod("py").metadata.resource_version
        ready, seen = set(), []
        for event in watch.Watch().stream(core.list_namespaced_pod, "py", resource_version="0",
                                          timeout_seconds=60):
            seen.append(event["type"])
            status = event["object"].status
            if any(c.type == "Ready" and c.status == "True" for c in status.conditions or []):
                ready.add(event["object"].metadata.name)
            if len(ready) == 2:
                break
        fine &= expect("a watch sees both pods become Ready", len(ready) == 2)
        fine &= expect("versions are integers", version.isdigit())
        apps.patch_namespaced_deployment_scale("py", "py", {"spec": {"replicas": 1}})
        fine &= expect("scale", apps.read_namespaced_deployment_scale("py", "py").spec.replicas == 1)
        page = core.list_pod_for_all_namespaces(limit=1)
        fine &= expect("lists come in pages", len(page.items) == 1 and page.metadata._continue)
        pools = custom.list_cluster_custom_object("karpenter.sh", "v1", "nodepools")
        fine &= expect("custom objects are listed", pools["items"][0]["metadata"]["name"] == "gpu-nodepool")
        try:
            core.read_namespaced_pod("nothing", "py")
            fine &= expect("a missing pod is a 404", False)
        except ApiException as error:
            fine &= expect("a missing pod is a 404", error.status == 404)
        core.delete_namespace("py")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
