// The whole life of a deployment, driven by SAP's JavaScript SDK as its users have it.
//
// Reads AICORE_SERVICE_KEY (by way of the SDK) and AICORE_RESOURCE_GROUP from the environment. Prints each thing that it
// holds to be true, and ends with an error at the first one that is not.

import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationApi, DeploymentApi, MetaApi, ResourceGroupApi, ScenarioApi } from '@sap-ai-sdk/ai-api';

const DEADLINE_MILLISECONDS = 30_000;
const group = { 'AI-Resource-Group': process.env.AICORE_RESOURCE_GROUP };

function expect(truth, sentence) {
  if (!truth) {
    throw new Error(`not so: ${sentence}`);
  }
  console.log(`ok: ${sentence}`);
}

// The SDK wraps the answer of the server in a chain of causes.
function answerOf(error) {
  for (let cause = error; cause; cause = cause.cause) {
    if (cause.response) {
      return cause.response;
    }
  }
  throw error;
}

async function refused(request, status, sentence) {
  let answer;
  try {
    await request.execute();
  } catch (error) {
    answer = answerOf(error);
  }
  expect(answer?.status === status && answer.data.error.code && answer.data.error.message, `${sentence} (${status})`);
}

const get = (id, query = {}) => DeploymentApi.deploymentGet(id, query, group).execute();
const list = (query = {}) => DeploymentApi.deploymentQuery(query, group).execute();
const count = (query = {}) => DeploymentApi.deploymentCount(query, group).execute();
const create = (configurationId, ttl) => DeploymentApi.deploymentCreate({ configurationId, ttl }, group).execute();
const bulk = deployments => DeploymentApi.deploymentBatchModify({ deployments }, group).execute();

async function waitFor(id, status) {
  const seen = [];
  const deadline = Date.now() + DEADLINE_MILLISECONDS;
  while (Date.now() < deadline) {
    const now = (await get(id)).status;
    if (seen.at(-1) !== now) {
      seen.push(now);
    }
    if (now === status) {
      console.log(`ok: reached ${status} by way of ${seen}`);
      return;
    }
    await sleep(20);
  }
  throw new Error(`${status} was not reached, only ${seen}`);
}

async function waitUntilGone(id) {
  const deadline = Date.now() + DEADLINE_MILLISECONDS;
  while (Date.now() < deadline) {
    try {
      const { targetStatus } = await get(id);
      if (targetStatus !== 'DELETED') {
        throw new Error(`while it is deleted, the target status is ${targetStatus}`);
      }
    } catch (error) {
      expect(answerOf(error).status === 404, `${id} is gone (404)`);
      return;
    }
    await sleep(20);
  }
  throw new Error('the deployment is still there');
}

async function configure(name, modelName, outcome = 'RUNNING') {
  const { id, message } = await ConfigurationApi.configurationCreate(
    {
      name,
      scenarioId: 'foundation-models',
      executableId: 'azure-openai',
      parameterBindings: [
        { key: 'modelName', value: modelName },
        { key: 'emulator.outcome', value: outcome }
      ],
      inputArtifactBindings: []
    },
    group
  ).execute();
  expect(message === 'Configuration created', `configuration ${name} is created`);
  return id;
}

async function catalogue() {
  const { aiApi } = await MetaApi.metaGet().execute();
  expect(aiApi.capabilities.bulkUpdates.deployments === true, 'meta tells of the bulk capability');
  const groups = await ResourceGroupApi.kubesubmitV4ResourcegroupsGetAll({}).execute();
  expect(groups.resources.some(one => one.resourceGroupId === 'default'), 'the default group is listed');
  const scenarios = await ScenarioApi.scenarioQuery(group).execute();
  expect(scenarios.resources.some(one => one.id === 'foundation-models'), 'scenarios are listed');
}

async function creation(first, stuck) {
  const before = Number(await count());
  const created = await create(first, '10m');
  expect(created.status === 'UNKNOWN' && created.deploymentUrl === '', 'a new deployment is UNKNOWN and has no URL');
  expect(created.message === 'Deployment scheduled.' && created.ttl === '10m', 'message and ttl come back');
  expect(Number(await count()) === before + 1, 'the count grew by one');
  await refused(
    DeploymentApi.deploymentCreate({ configurationId: 'no-such-configuration' }, group),
    400,
    'an unknown configuration is refused'
  );
  await waitFor(created.id, 'RUNNING');
  const running = await get(created.id);
  expect(running.deploymentUrl.endsWith(`/v2/inference/deployments/${created.id}`), 'it has a URL');
  expect(running.latestRunningConfigurationId === first, 'its configuration is known to run');
  expect((await get(created.id, { $select: 'status' })).status === 'RUNNING', '$select=status works');
  const found = await list({ scenarioId: 'foundation-models', executableIds: ['azure-openai', 'other'], status: 'RUNNING' });
  expect(found.resources.some(one => one.id === created.id), 'filters of the list work');
  await paging(stuck);
  return created.id;
}

async function paging(stuck) {
  const others = [];
  for (let index = 0; index < 3; index += 1) {
    others.push((await create(stuck)).id);
  }
  const everything = (await list()).resources.map(one => one.id);
  const paged = [];
  for (let $skip = 0; $skip < everything.length; $skip += 2) {
    const page = await list({ $top: 2, $skip });
    expect(page.count === page.resources.length, 'the count of a page is the number of its items');
    paged.push(...page.resources.map(one => one.id));
  }
  expect(paged.join() === everything.join(), 'pages of two show the whole list in its order');
  const { deployments } = await bulk(others.map(id => ({ id, targetStatus: 'DELETED' })));
  expect(deployments.every(one => one.message), 'a bulk call deletes three UNKNOWN ones');
  for (const id of others) {
    await waitUntilGone(id);
  }
}

async function logs(id) {
  const { data } = await DeploymentApi.kubesubmitV4DeploymentsGetLogs(id, { $top: 10, $order: 'desc' }).execute();
  expect(data.result.length > 0 && data.result[0].msg, 'logs are readable');
}

async function changing(id, configurationId) {
  await DeploymentApi.deploymentModify(id, { configurationId }, group).execute();
  expect((await get(id)).lastOperation === 'UPDATE', 'the last operation is UPDATE');
  await waitFor(id, 'RUNNING');
  expect((await get(id)).latestRunningConfigurationId === configurationId, 'the new configuration runs');
}

async function ending(id) {
  await refused(DeploymentApi.deploymentDelete(id, group), 412, 'a RUNNING deployment cannot be deleted');
  const { deployments } = await bulk([
    { id, targetStatus: 'STOPPED' },
    { id: 'no-such-deployment', targetStatus: 'DELETED' }
  ]);
  expect(deployments.length === 2 && deployments[0].message, 'a bulk call answers for each item');
  expect(deployments[1].error.code && deployments[1].error.requestId, 'the item that is not there has its own error');
  expect((await get(id)).targetStatus === 'STOPPED', 'the target status is STOPPED at once');
  await waitFor(id, 'STOPPED');
  const stop = DeploymentApi.deploymentModify(id, { targetStatus: 'STOPPED' }, group);
  await refused(stop, 400, 'a STOPPED deployment cannot be stopped again');
  const { message } = await DeploymentApi.deploymentDelete(id, group).execute();
  expect(message === 'Deletion scheduled', 'the deletion is accepted');
  await waitUntilGone(id);
  expect((await list()).resources.every(one => one.id !== id), 'it is in no list any more');
}

await catalogue();
const first = await configure('javascript-first', 'gpt-4o');
const second = await configure('javascript-second', 'gpt-4o-mini');
const stuck = await configure('javascript-stuck', 'gpt-4o', 'STUCK_UNKNOWN');
const id = await creation(first, stuck);
await logs(id);
await changing(id, second);
await ending(id);
console.log('done');
