/** Open from Sunday to Thursday, 8 to 17. */
export const isOpen = (at) => at.getUTCDay() <= 4 && at.getUTCHours() >= 8 && at.getUTCHours() < 17;
