import { ALERTS } from './alerts.ts';
import { makeDashboard } from './dashboard.ts';
import { FLEET_LABELS, FLEET_NAME, metadataOf } from './names.ts';

/**
 * monitoringManifests gives what a cluster with the Prometheus operator and Grafana takes: scraping, alerts, and the dashboard in
 * a ConfigMap that Grafana's sidecar finds.
 */
export function monitoringManifests(namespace: string): readonly object[] {
  const apiVersion = 'monitoring.coreos.com/v1';
  return [
    {
      apiVersion,
      kind: 'ServiceMonitor',
      metadata: metadataOf(FLEET_NAME, namespace),
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/name': FLEET_NAME } },
        endpoints: [{ port: 'metrics', interval: '30s' }],
      },
    },
    { apiVersion, kind: 'PrometheusRule', metadata: metadataOf(FLEET_NAME, namespace), spec: alertGroups() },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `${FLEET_NAME}-dashboard`,
        namespace,
        labels: { ...FLEET_LABELS, grafana_dashboard: '1' },
      },
      data: { 'plinth-fleet.json': `${JSON.stringify(makeDashboard(), null, 2)}\n` },
    },
  ];
}

/** alertGroups gives the alerts as Prometheus reads them from a file of rules. */
function alertGroups(): object {
  return {
    groups: [
      {
        name: FLEET_NAME,
        rules: ALERTS.map(({ name, expression, lasts, severity, summary, action }) => ({
          alert: name,
          expr: expression,
          for: lasts,
          labels: { severity },
          annotations: { summary, description: action },
        })),
      },
    ],
  };
}
