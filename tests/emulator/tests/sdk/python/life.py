"""The whole life of a deployment, driven by SAP's Python SDK as its users have it.

Reads AICORE_BASE_URL, AICORE_AUTH_URL, AICORE_CLIENT_ID, AICORE_CLIENT_SECRET and AICORE_RESOURCE_GROUP from the
environment. Prints each thing that it holds to be true, and ends with an error at the first one that is not.
"""

import os
import time
from datetime import datetime, timedelta, timezone

from ai_api_client_sdk.exception import (
    AIAPIInvalidRequestException,
    AIAPINotFoundException,
    AIAPIPreconditionFailedException,
)
from ai_api_client_sdk.models.base_models import BasicModifyRequest
from ai_api_client_sdk.models.parameter_binding import ParameterBinding
from ai_api_client_sdk.models.status import Status
from ai_api_client_sdk.models.target_status import TargetStatus
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

DEADLINE_SECONDS = 30


def expect(truth, sentence):
    if not truth:
        raise AssertionError(f"not so: {sentence}")
    print(f"ok: {sentence}")


def refused(call, error, sentence):
    try:
        call()
    except error as refusal:
        print(f"ok: {sentence} ({refusal.status_code} {refusal.error_code} {refusal.error_message})")
        return refusal
    raise AssertionError(f"not so: {sentence}")


def wait_for(deployments, deployment_id, status):
    deadline = time.monotonic() + DEADLINE_SECONDS
    seen = []
    while time.monotonic() < deadline:
        now = deployments.get(deployment_id).status
        if not seen or seen[-1] != now:
            seen.append(now)
        if now == status:
            print(f"ok: reached {status.value} by way of {[one.value for one in seen]}")
            return
        time.sleep(0.02)
    raise AssertionError(f"{status.value} was not reached, only {[one.value for one in seen]}")


def wait_until_gone(deployments, deployment_id):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            expect_deleting(deployments.get(deployment_id))
        except AIAPINotFoundException as gone:
            print(f"ok: gone ({gone.status_code})")
            return
        time.sleep(0.02)
    raise AssertionError("the deployment is still there")


def expect_deleting(deployment):
    if deployment.target_status != TargetStatus.DELETED:
        raise AssertionError(f"while it is deleted, the target status is {deployment.target_status}")


def configure(client, name, model, outcome="RUNNING"):
    created = client.configuration.create(
        name=name,
        scenario_id="foundation-models",
        executable_id="azure-openai",
        parameter_bindings=[ParameterBinding("modelName", model), ParameterBinding("emulator.outcome", outcome)],
    )
    expect(created.message == "Configuration created", f"configuration {name} is created")
    return created.id


def catalogue(client):
    expect(client.meta.get() is not None, "meta is readable")
    groups = [one.resource_group_id for one in client.resource_groups.query().resources]
    expect("default" in groups, "the default group is listed")
    executables = client.executable.query(scenario_id="foundation-models").resources
    expect([one.id for one in executables] == ["azure-openai"], "executables are listed")


def creation(client, first, stuck):
    deployments = client.deployment
    before = deployments.count()
    created = deployments.create(configuration_id=first, ttl="10m")
    expect(created.status == Status.UNKNOWN, "a new deployment is UNKNOWN")
    expect(created.message == "Deployment scheduled." and created.ttl == "10m", "message and ttl come back")
    expect(deployments.count() == before + 1, "the count grew by one")
    refused(
        lambda: deployments.create(configuration_id="no-such-configuration"),
        AIAPIInvalidRequestException,
        "an unknown configuration is refused",
    )
    wait_for(deployments, created.id, Status.RUNNING)
    running = deployments.get(created.id)
    expect(running.deployment_url.endswith(f"/v2/inference/deployments/{created.id}"), "it has a URL")
    expect(running.latest_running_configuration_id == first, "its configuration is known to run")
    expect(running.start_time is not None and running.submission_time is not None, "its times are readable")
    selected = deployments.get(created.id, select="status")
    expect(selected.status == Status.RUNNING, "$select=status is readable")
    expect(deployments.count(status=Status.RUNNING, configuration_id=first) == 1, "filters of the count work")
    executables = ["azure-openai", "other"]
    found = deployments.query(scenario_id="foundation-models", executable_ids=executables, status=Status.RUNNING)
    expect(created.id in [one.id for one in found.resources], "filters of the list work")
    expect(found.count == len(found.resources), "the count of a list is the number of its items")
    paging(deployments, stuck)
    return created.id


def paging(deployments, stuck):
    others = [deployments.create(configuration_id=stuck).id for _ in range(3)]
    everything = [one.id for one in deployments.query().resources]
    pages = [deployments.query(top=2, skip=skip).resources for skip in range(0, len(everything), 2)]
    expect([one.id for page in pages for one in page] == everything, "pages of two show the whole list in its order")
    removed = deployments.bulk_modify([BasicModifyRequest(one, TargetStatus.DELETED) for one in others])
    expect(len(removed.deployments) == 3, "a bulk call deletes three UNKNOWN ones")
    for one in others:
        wait_until_gone(deployments, one)


def logs(deployments, deployment_id):
    lines = deployments.query_logs(deployment_id).data.result
    expect(len(lines) > 0 and lines[0].msg, "logs are readable")
    start = datetime.now(timezone.utc) - timedelta(minutes=5)
    expect(len(deployments.query_logs(deployment_id, top=1, start=start).data.result) >= 1, "logs can be narrowed down")


def changing(deployments, deployment_id, configuration):
    deployments.modify(deployment_id, configuration_id=configuration)
    expect(deployments.get(deployment_id).last_operation.value == "UPDATE", "the last operation is UPDATE")
    wait_for(deployments, deployment_id, Status.RUNNING)
    changed = deployments.get(deployment_id)
    expect(changed.configuration_id == changed.latest_running_configuration_id == configuration, "the new configuration runs")


def ending(deployments, deployment_id):
    refused(
        lambda: deployments.delete(deployment_id),
        AIAPIPreconditionFailedException,
        "a RUNNING deployment cannot be deleted",
    )
    requests = [(deployment_id, TargetStatus.STOPPED), ("no-such-deployment", TargetStatus.DELETED)]
    answers = deployments.bulk_modify([BasicModifyRequest(*request) for request in requests]).deployments
    expect(len(answers) == 2 and answers[0].id == deployment_id, "a bulk call answers for each item")
    expect(answers[1].error.code and answers[1].error.request_id, "the item that is not there has its own error")
    expect(deployments.get(deployment_id).target_status == TargetStatus.STOPPED, "the target status is STOPPED at once")
    wait_for(deployments, deployment_id, Status.STOPPED)
    expect(deployments.get(deployment_id).completion_time is not None, "the completion time is readable")
    refused(
        lambda: deployments.modify(deployment_id, target_status=TargetStatus.STOPPED),
        AIAPIInvalidRequestException,
        "a STOPPED deployment cannot be stopped again",
    )
    expect(deployments.delete(deployment_id).message == "Deletion scheduled", "the deletion is accepted")
    wait_until_gone(deployments, deployment_id)
    expect(deployment_id not in [one.id for one in deployments.query().resources], "it is in no list any more")


def main():
    client = AICoreV2Client(
        base_url=os.environ["AICORE_BASE_URL"],
        auth_url=os.environ["AICORE_AUTH_URL"],
        client_id=os.environ["AICORE_CLIENT_ID"],
        client_secret=os.environ["AICORE_CLIENT_SECRET"],
        resource_group=os.environ["AICORE_RESOURCE_GROUP"],
    )
    catalogue(client)
    first = configure(client, "python-first", "gpt-4o")
    second = configure(client, "python-second", "gpt-4o-mini")
    stuck = configure(client, "python-stuck", "gpt-4o", outcome="STUCK_UNKNOWN")
    deployment_id = creation(client, first, stuck)
    logs(client.deployment, deployment_id)
    changing(client.deployment, deployment_id, second)
    ending(client.deployment, deployment_id)
    print("done")


if __name__ == "__main__":
    main()
