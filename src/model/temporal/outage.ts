/** One outage of the forge, the registry or the cluster may last a night; after that a person has to look. */
export const outageHours = 12;
