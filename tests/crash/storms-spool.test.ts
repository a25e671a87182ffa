import { storms } from './storms.ts'

storms('spool')
