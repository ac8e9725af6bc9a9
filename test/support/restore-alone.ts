// Restores a backup in a process of its own, which a test may kill: node restore-alone.ts '<JSON>'
import { environmentOf, openSite, type OpenRecreation, type SitePlan } from './building-site.ts';

interface Work extends Pick<OpenRecreation, 'target' | 'execution'> {
  plan: SitePlan;
  key: string;
}

const { plan, target, execution, key } = JSON.parse(process.argv[2] ?? '') as Work;
const { activities } = await openSite(plan);
await environmentOf(execution).run(activities.restoreBackup, { ...target, key });
