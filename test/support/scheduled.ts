import { proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Bundled into workflows: tells where each activity is put, which no replay compares with the history. */
export interface ScheduledSinks extends Sinks {
  activities: {
    /** @param taskQueue undefined for the workflow's own */
    scheduled(activityId: string, taskQueue: string | undefined): void;
  };
}

const { activities } = proxySinks<ScheduledSinks>();

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        activities.scheduled(input.options.activityId ?? String(input.seq), input.options.taskQueue);
        return next(input);
      },
    },
  ],
});
