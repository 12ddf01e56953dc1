"""Faults as people make them in manifests: each changes rendered objects in one place.

The first 30 are those of a trial in which public linters and schemas caught 10 of 32; the two that
are not here are of Prometheus' rules, which `promtool` checks. The others are of our own making.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.deploy.objects import Object, Objects, of_kind

Plant = Callable[[Objects], object]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, how it comes in, and the check that must see it."""

    name: str
    plant: Plant
    seen_by: str

    def __str__(self) -> str:
        """Return what is wrong, as a test names it."""
        return self.name


def find(objects: Objects, kind: str, name: str) -> Object:
    """Return one object; a name ends at the suffix that a generator gives."""
    return next(each for each in of_kind(objects, kind)
                if each["metadata"]["name"].startswith(name))  # fmt: skip


def spec(objects: Objects, kind: str, name: str) -> Object:
    """Return what an object is to be."""
    found: Object = find(objects, kind, name)["spec"]
    return found


def pod(objects: Objects, name: str, kind: str = "Deployment") -> Object:
    """Return what a workload's pods are to be."""
    found: Object = spec(objects, kind, name)["template"]["spec"]
    return found


def container(objects: Objects, name: str, kind: str = "Deployment") -> Object:
    """Return the container of a workload."""
    found: Object = pod(objects, name, kind)["containers"][0]
    return found


def trigger(objects: Objects) -> Object:
    """Return what one scaler looks at."""
    found: Object = spec(objects, "ScaledObject", "notifier-worker")["triggers"][0]["metadata"]
    return found


def without(objects: Objects, kind: str, name: str) -> None:
    """Take one object away."""
    gone = find(objects, kind, name)
    assert isinstance(objects, list)
    objects.remove(gone)


API, WORKER, MIGRATE = "notifier-api", "notifier-worker", "notifier-migrate"

OF_THE_TRIAL: tuple[Fault, ...] = (
    Fault("a field that there is not",
          lambda o: spec(o, "Deployment", API).update(replica=3), "fields"),
    Fault("a text for a number",
          lambda o: spec(o, "Deployment", API).update(replicas="2"), "fields"),
    Fault("a slip in a ScaledObject",
          lambda o: spec(o, "ScaledObject", WORKER).update(maxReplicas=6), "fields"),
    Fault("a slip in a Postgres cluster",
          lambda o: spec(o, "Cluster", "notifier").update(storge={"size": "1Gi"}), "fields"),
    Fault("a version of ExternalSecret that is gone",
          lambda o: find(o, "ExternalSecret", "notifier").update(
              apiVersion="external-secrets.io/v1beta1"), "versions_of_apis"),
    Fault("a slip in resources",
          lambda o: container(o, API)["resources"].update(limit={"memory": "1Gi"}), "fields"),
    Fault("an image that is `latest`",
          lambda o: container(o, API).update(
              image="your-registry.invalid/handoff/notifier:latest"), "images"),
    Fault("memory without a limit",
          lambda o: container(o, API)["resources"].pop("limits"), "resources"),
    Fault("no readiness probe",
          lambda o: container(o, API).pop("readinessProbe"), "probes"),
    Fault("a privileged container",
          lambda o: container(o, API)["securityContext"].update(privileged=True), "restricted"),
    Fault("a ConfigMap that is not there",
          lambda o: container(o, API)["envFrom"][0].update(configMapRef={"name": "settings"}),
          "settings_and_secrets"),
    Fault("a targetPort that no container has",
          lambda o: spec(o, "Service", API)["ports"][0].update(targetPort="web"), "services"),
    Fault("a budget for no pod",
          lambda o: spec(o, "PodDisruptionBudget", API)["selector"]["matchLabels"].update(
              {"app.kubernetes.io/component": "web"}), "budgets"),
    Fault("a scaler without its group",
          lambda o: trigger(o).pop("consumerGroup"), "fields"),
    Fault("a scaler of what is not there",
          lambda o: spec(o, "ScaledObject", WORKER)["scaleTargetRef"].update(name="worker"),
          "scaled"),
    Fault("a number of replicas beside a scaler",
          lambda o: spec(o, "StatefulSet", WORKER).update(replicas=2), "scaled"),
    Fault("no default deny",
          lambda o: without(o, "NetworkPolicy", "closed"), "closed"),
    Fault("a secret in the environment",
          lambda o: container(o, API)["env"].append({"name": "DB_PASSWORD", "value": "x"}),
          "secrecy"),
    Fault("a backup's schedule of five fields",
          lambda o: spec(o, "ScheduledBackup", "notifier").update(schedule="0 3 * * *"),
          "backups"),
    Fault("a monitor of a port that is not there",
          lambda o: spec(o, "PodMonitor", "handoff")["podMetricsEndpoints"][0].update(port="web"),
          "monitors"),
    Fault("no way out to the database",
          lambda o: without(o, "NetworkPolicy", "notifier-to-postgres"), "just_the_real_flows"),
    Fault("a budget of an API that is gone",
          lambda o: find(o, "PodDisruptionBudget", API).update(apiVersion="policy/v1beta1"),
          "versions_of_apis"),
    Fault("a selector that takes none of its own pods",
          lambda o: spec(o, "Deployment", API)["selector"]["matchLabels"].update(
              {"app.kubernetes.io/name": "notify"}), "selectors"),
    Fault("a route to a Service without a port",
          lambda o: spec(o, "HTTPRoute", "notifier")["rules"][0]["backendRefs"][0].pop("port"),
          "fields"),
    Fault("a sleep longer than the grace",
          lambda o: container(o, API)["lifecycle"]["preStop"].update(sleep={"seconds": 60}),
          "ends_in_time"),
    Fault("a name that is none",
          lambda o: find(o, "Service", API)["metadata"].update(name="notifier_api"), "fields"),
    Fault("a quantity that is none",
          lambda o: container(o, API)["resources"]["requests"].update(memory="192MB"), "fields"),
    Fault("a Job that is always started again",
          lambda o: pod(o, MIGRATE, "Job").update(restartPolicy="Always"), "jobs"),
    Fault("two ports of one name",
          lambda o: container(o, API)["ports"][1].update(name="http"), "names_are_unique"),
    Fault("a mount of a volume that is not there",
          lambda o: container(o, API)["volumeMounts"][0].update(name="data"), "volumes"),
)  # fmt: skip

OUR_OWN: tuple[Fault, ...] = (
    Fault("an image that somebody else may have",
          lambda o: container(o, API).update(image="handoff/notifier:0.1.0"), "nobody_elses"),
    Fault("root in a Job",
          lambda o: pod(o, MIGRATE, "Job")["securityContext"].update(runAsUser=0), "restricted"),
    Fault("no runAsNonRoot",
          lambda o: pod(o, WORKER, "StatefulSet")["securityContext"].pop("runAsNonRoot"),
          "restricted"),
    Fault("liveness that asks the database",
          lambda o: container(o, API)["livenessProbe"]["httpGet"].update(path="/readyz"),
          "probes"),
    Fault("a probe at a path where nothing answers",
          lambda o: container(o, API)["startupProbe"]["httpGet"].update(path="/healthz"),
          "probes"),
    Fault("a grace shorter than the code's",
          lambda o: pod(o, WORKER, "StatefulSet").update(terminationGracePeriodSeconds=30),
          "ends_in_time"),
    Fault("a setting that nothing reads",
          lambda o: find(o, "ConfigMap", "notifier-settings")["data"].update(
              HANDOFF_LOGLEVEL="debug"), "drift"),
    Fault("a required setting that is not given",
          lambda o: find(o, "ConfigMap", "kafka")["data"].pop("HANDOFF_KAFKA_BOOTSTRAP"),
          "drift"),
    Fault("a port at which nothing listens",
          lambda o: container(o, API)["ports"][0].update(containerPort=8000), "ports"),
    Fault("another service's program",
          lambda o: container(o, API).update(command=["python", "-m", "lead_scoring.api"]),
          "commands"),
    Fault("a program under a shell",
          lambda o: container(o, API).update(command=["sh", "-c", "python -m notifier.api"]),
          "commands"),
    Fault("workers that roll out one after the other",
          lambda o: spec(o, "StatefulSet", WORKER).update(podManagementPolicy="OrderedReady"),
          "rollouts"),
    Fault("a topic that is missing",
          lambda o: without(o, "KafkaTopic", "handoff.reps.v1"), "topics"),
    Fault("a topic with too few partitions",
          lambda o: spec(o, "KafkaTopic", "handoff.leads").update(partitions=6), "topics"),
    Fault("a right too many",
          lambda o: spec(o, "KafkaUser", "notifier")["authorization"]["acls"][1][
              "operations"].append("Write"), "rights"),
    Fault("a pair of Kafka versions that is none",
          lambda o: spec(o, "Kafka", "handoff")["kafka"].update(metadataVersion="4.1-IV1"),
          "cluster"),
    Fault("topics that make themselves",
          lambda o: spec(o, "Kafka", "handoff")["kafka"]["config"].update(
              {"auto.create.topics.enable": True}), "cluster"),
    Fault("a failover that may lose what was committed",
          lambda o: spec(o, "Cluster", "notifier")["postgresql"]["synchronous"].update(
              dataDurability="preferred"), "clusters"),
    Fault("a budget of one instance that blocks every drain",
          lambda o: spec(o, "Cluster", "notifier").update(instances=1), "clusters"),
    Fault("a cluster that is not saved",
          lambda o: without(o, "ScheduledBackup", "notifier"), "clusters"),
    Fault("fewer connections than processes want",
          lambda o: spec(o, "Cluster", "notifier")["postgresql"]["parameters"].update(
              max_connections="50"), "connections"),
    Fault("a parameter that Postgres does not have",
          lambda o: spec(o, "Cluster", "notifier")["postgresql"]["parameters"].update(
              max_wal_sise="4GB"), "parameters"),
    Fault("a parameter's value that Postgres does not take",
          lambda o: spec(o, "Cluster", "notifier")["postgresql"]["parameters"].update(
              max_wal_size="4GiB"), "parameters"),
    Fault("a scaler before what it scales",
          lambda o: find(o, "ScaledObject", WORKER)["metadata"].pop("annotations"), "waves"),
    Fault("a process before its migration",
          lambda o: find(o, "Deployment", API)["metadata"].pop("annotations"), "waves"),
    Fault("a migration before its database",
          lambda o: find(o, "Job", MIGRATE)["metadata"]["annotations"].update(
              {"argocd.argoproj.io/sync-wave": "0"}), "waves"),
    Fault("a topic after those who wait for it",
          lambda o: find(o, "KafkaTopic", "handoff.leads")["metadata"].update(
              annotations={"argocd.argoproj.io/sync-wave": "3"}), "waves"),
    Fault("a way in from everywhere",
          lambda o: spec(o, "NetworkPolicy", "apis-from-gateway")["ingress"][0].pop("from"),
          "just_the_real_flows"),
    Fault("a way out to everywhere",
          lambda o: spec(o, "NetworkPolicy", "notifier-to-postgres")["egress"].append({}),
          "just_the_real_flows"),
    Fault("a secret that nobody makes",
          lambda o: pod(o, WORKER, "StatefulSet")["volumes"][0]["secret"].update(
              secretName="notifier-db"), "settings_and_secrets"),
    Fault("a real password in a Secret",
          lambda o: o.append({
              "apiVersion": "v1", "kind": "Secret",
              "metadata": {"name": "backups", "namespace": "handoff"},
              "data": {"key": "c2VjcmV0"}}), "secrecy"),
    Fault("a version in a selector",
          lambda o: spec(o, "Deployment", API)["selector"]["matchLabels"].update(
              {"app.kubernetes.io/version": "0.1.0"}), "selectors_last"),
    Fault("something in the default namespace",
          lambda o: find(o, "Service", API)["metadata"].update(namespace="default"), "place"),
    Fault("a token for the Kubernetes API",
          lambda o: find(o, "ServiceAccount", "notifier").update(
              automountServiceAccountToken=True), "accounts"),
    Fault("a listener that Strimzi opens to more than we do",
          lambda o: spec(o, "Kafka", "handoff")["kafka"]["listeners"][0][
              "networkPolicyPeers"].append({"namespaceSelector": {}}), "as_strimzi_writes_them"),
    Fault("a policy for no pod",
          lambda o: spec(o, "NetworkPolicy", "apis-from-gateway").update(
              podSelector={"matchLabels": {"app": "api"}}), "are_for_somebody"),
    Fault("a file that is not mounted where it is looked for",
          lambda o: container(o, API)["env"].append(
              {"name": "HANDOFF_DATABASE_URL_FILE", "value": "/run/secrets/uri"}), "files"),
    Fault("something that belongs to nothing",
          lambda o: find(o, "Service", API)["metadata"]["labels"].pop("app.kubernetes.io/part-of"),
          "labels"),
    Fault("a database that its service's role does not own",
          lambda o: spec(o, "Cluster", "notifier")["bootstrap"]["initdb"].update(owner="app"),
          "owners"),
    Fault("one copy of an API",
          lambda o: spec(o, "Deployment", API).update(replicas=1), "replicas"),
    Fault("a route under a name that the certificate lacks",
          lambda o: spec(o, "HTTPRoute", "notifier").update(hostnames=["tasks.example.com"]),
          "routes"),
    Fault("a route that leads to nothing of the API",
          lambda o: spec(o, "HTTPRoute", "notifier")["rules"][0]["matches"][0]["path"].update(
              value="/api"), "routes"),
    Fault("an Ingress under a name that the certificate lacks",
          lambda o: spec(o, "Ingress", "handoff")["rules"][0].update(host="leads.example.com"),
          "ingresses"),
    Fault("an Ingress whose certificate nobody makes",
          lambda o: find(o, "Ingress", "handoff")["metadata"].pop("annotations"), "ingresses"),
    Fault("an Ingress that leaves an API out",
          lambda o: spec(o, "Ingress", "handoff")["rules"].pop(), "ingresses"),
    Fault("an Ingress that leads to nothing of the API",
          lambda o: spec(o, "Ingress", "handoff")["rules"][0]["http"]["paths"][0].update(
              path="/api"), "ingresses"),
    Fault("a process whose spans go nowhere",
          lambda o: container(o, API)["envFrom"].pop(), "just_the_real_flows"),
    Fault("spans to a port that is shut",
          lambda o: find(o, "ConfigMap", "tracing")["data"].update(
              HANDOFF_OTLP_ENDPOINT="http://collector.tracing:4317"), "just_the_real_flows"),
    Fault("a monitor of a path where nothing answers",
          lambda o: spec(o, "PodMonitor", "handoff")["podMetricsEndpoints"][0].update(
              path="/prometheus"), "monitors"),
    Fault("targets that alerts cannot tell apart",
          lambda o: spec(o, "PodMonitor", "handoff")["podMetricsEndpoints"][0].pop("relabelings"),
          "monitors"),
    Fault("a start that is cut short",
          lambda o: container(o, API)["startupProbe"].update(failureThreshold=3), "probes"),
    Fault("copies spread among others",
          lambda o: pod(o, API)["topologySpreadConstraints"][0]["labelSelector"].update(
              matchLabels={"app.kubernetes.io/component": "api"}), "spread"),
    Fault("a scaler in another service's group",
          lambda o: trigger(o).update(consumerGroup="lead-scoring"), "triggers"),
    Fault("a disk without an end",
          lambda o: next(each for each in pod(o, API)["volumes"] if each["name"] == "tmp").update(
              emptyDir={}), "writes_little"),
    Fault("a password whose change Postgres' operator does not see",
          lambda o: spec(o, "ExternalSecret", "notifier-database")["target"]["template"].pop(
              "metadata"), "secrets"),
    Fault("a Postgres that first lets all in",
          lambda o: spec(o, "Cluster", "notifier")["postgresql"]["pg_hba"].insert(
              0, "host all all all trust"), "clusters"),
    Fault("a whole Secret in the environment",
          lambda o: container(o, API)["envFrom"].append(
              {"secretRef": {"name": "notifier-database"}}), "fields"),
    Fault("a way in from all addresses",
          lambda o: spec(o, "NetworkPolicy", "apis-from-gateway")["ingress"][0]["from"].append(
              {"ipBlock": {"cidr": "0.0.0.0/0"}}), "just_the_real_flows"),
    Fault("a rule of entry for nobody in particular",
          lambda o: spec(o, "NetworkPolicy", "notifier-postgres")["ingress"].append(
              {"from": [], "ports": []}), "just_the_real_flows"),
    Fault("names by TCP alone",
          lambda o: spec(o, "NetworkPolicy", "names")["egress"][0]["ports"].pop(0),
          "just_the_real_flows"),
    Fault("Postgres by UDP",
          lambda o: spec(o, "NetworkPolicy", "notifier-to-postgres")["egress"][0]["ports"][
              0].update(protocol="UDP"), "just_the_real_flows"),
    Fault("brokers as whoever they like",
          lambda o: spec(o, "Kafka", "handoff")["kafka"]["template"]["pod"][
              "securityContext"].pop("runAsNonRoot"), "operators"),
    Fault("brokers on one node",
          lambda o: spec(o, "Kafka", "handoff")["kafka"]["template"]["pod"][
              "topologySpreadConstraints"].pop(), "operators"),
    Fault("an operator of users with all capabilities",
          lambda o: spec(o, "Kafka", "handoff")["entityOperator"]["template"].pop(
              "userOperatorContainer"), "operators"),
    Fault("users that nobody makes",
          lambda o: spec(o, "Kafka", "handoff")["entityOperator"].pop("userOperator"),
          "operators"),
    Fault("an operator of topics without an end of its memory",
          lambda o: spec(o, "Kafka", "handoff")["entityOperator"]["topicOperator"].pop(
              "resources"), "operators"),
    Fault("a Postgres without an end of its memory",
          lambda o: spec(o, "Cluster", "notifier")["resources"].pop("limits"), "clusters"),
    Fault("an authority of Postgres' operator",
          lambda o: spec(o, "Cluster", "notifier").pop("certificates"), "clusters"),
    Fault("backups that are kept for a day",
          lambda o: spec(o, "ObjectStore", "backups").update(retentionPolicy="1d"), "stores"),
    Fault("backups that are kept for ever",
          lambda o: spec(o, "ObjectStore", "backups").pop("retentionPolicy"), "stores"),
    Fault("a backup each year",
          lambda o: spec(o, "ScheduledBackup", "notifier").update(schedule="0 0 3 1 1 *"),
          "backups"),
    Fault("backups that go with their cluster",
          lambda o: spec(o, "ScheduledBackup", "notifier").update(backupOwnerReference="cluster"),
          "backups"),
    Fault("the group of root on volumes",
          lambda o: pod(o, API)["securityContext"].update(fsGroup=0), "restricted"),
    Fault("the group of root",
          lambda o: pod(o, API)["securityContext"].update(runAsGroup=0), "restricted"),
    Fault("an end after a second without an answer",
          lambda o: container(o, API)["livenessProbe"].update(periodSeconds=1, failureThreshold=1),
          "probes"),
    Fault("copies that may be on one node",
          lambda o: pod(o, API)["topologySpreadConstraints"][1].update(
              whenUnsatisfiable="ScheduleAnyway"), "spread"),
    Fault("a scaler that speaks as Kafka no longer does",
          lambda o: trigger(o).update(version="0.10.0"), "triggers"),
    Fault("a scaler of another kind",
          lambda o: spec(o, "ScaledObject", WORKER)["triggers"][0].update(type="apache-kafka"),
          "triggers"),
    Fault("a right to all that begins so",
          lambda o: spec(o, "KafkaUser", "notifier")["authorization"]["acls"][0][
              "resource"].update(patternType="prefix"), "rights"),
    Fault("a route to another's API",
          lambda o: spec(o, "HTTPRoute", "notifier")["rules"][0]["backendRefs"][0].update(
              name="lead-scoring-api"), "routes"),
    Fault("a monitor of Postgres at our own port",
          lambda o: spec(o, "PodMonitor", "postgres")["podMetricsEndpoints"][0].update(
              port="operations"), "monitors"),
    Fault("clusters of Postgres that alerts cannot tell apart",
          lambda o: spec(o, "PodMonitor", "postgres").pop("podTargetLabels"), "monitors"),
    Fault("figures of Postgres that Prometheus may not fetch",
          lambda o: without(o, "NetworkPolicy", "metrics-of-postgres"), "just_the_real_flows"),
    Fault("a monitor of Kafka at a port of a former exporter",
          lambda o: spec(o, "PodMonitor", "kafka")["podMetricsEndpoints"][0].update(
              port="jmx"), "monitors"),
    Fault("a Service of one version",
          lambda o: spec(o, "Service", API)["selector"].update(
              {"app.kubernetes.io/version": "0.1.0"}), "selectors_last"),
    Fault("nobody who audits",
          lambda o: spec(o, "Deployment", "operations").update(replicas=0), "replicas"),
    Fault("a migration that gives up at once",
          lambda o: spec(o, "Job", MIGRATE).pop("backoffLimit"), "jobs"),
    Fault("a migration without an end",
          lambda o: spec(o, "Job", MIGRATE).pop("activeDeadlineSeconds"), "jobs"),
)  # fmt: skip
