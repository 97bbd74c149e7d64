// @kubernetes/client-node against the embedded cluster: list, informer, apply.
// usage: node node_client.mjs CLIENT_DIRECTORY KUBECONFIG
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const k8s = require('@kubernetes/client-node');

let failed = 0;
function expect(what, truth) {
  console.log((truth ? 'ok      ' : 'FAILED  ') + what);
  if (!truth) failed++;
}

const config = new k8s.KubeConfig();
config.loadFromFile(process.argv[3]);
const core = config.makeApiClient(k8s.CoreV1Api);
const nodes = await core.listNode();
expect('nodes are listed', nodes.items.length >= 3);

await core.createNamespace({ body: { metadata: { name: 'njs' } } });
const seen = [];
const informer = k8s.makeInformer(config, '/api/v1/namespaces/njs/configmaps',
  () => core.listNamespacedConfigMap({ namespace: 'njs' }));
informer.on('add', (o) => seen.push('add ' + o.metadata.name));
informer.on('update', (o) => seen.push('update ' + o.metadata.name));
informer.on('delete', (o) => seen.push('delete ' + o.metadata.name));
informer.on('error', (e) => console.log('informer: ' + e));
await informer.start();

const objects = k8s.KubernetesObjectApi.makeApiClient(config);
const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'njs' }, data: { x: '1' } };
await objects.create(map);
const applied = await objects.patch({ ...map, data: { x: '2' } }, undefined, undefined, 'njs-test', true,
  k8s.PatchStrategy.ServerSideApply);
expect('server-side apply changes the value', applied.data.x === '2');
expect('and keeps who did it', applied.metadata.managedFields.some((m) => m.manager === 'njs-test'));
await core.deleteNamespacedConfigMap({ name: 'a', namespace: 'njs' });
for (let i = 0; i < 100 && !seen.includes('delete a'); i++) await new Promise((r) => setTimeout(r, 50));
expect('the informer saw add, update, delete', ['add a', 'update a', 'delete a'].every((s) => seen.includes(s)));
await informer.stop();
await core.deleteNamespace({ name: 'njs' });
process.exit(failed ? 1 : 0);
